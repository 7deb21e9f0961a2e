import { describe, expect, it } from '@jest/globals';
import { buildSchema, getVariableValues, type OperationDefinitionNode, parse, validate } from 'graphql';
import { withoutValues } from '../../../src/api/errors.js';
import { DateTimeScalar } from '../../../src/api/scalars.js';

const schema = buildSchema(
  'scalar DateTime input Key { name: String!, count: Int } enum Colour { RED } type Query { ask(key: Key, keys: [Key!], colour: Colour, id: ID, flag: Boolean, ratio: Float, at: DateTime): Int }',
);
Object.assign(schema.getType('DateTime') ?? {}, { parseValue: DateTimeScalar.parseValue, parseLiteral: DateTimeScalar.parseLiteral });

function variableMessage(type: string, value: unknown): string {
  const [operation] = parse(`query ($v: ${type}) { __typename }`).definitions;
  const { variableDefinitions = [] } = operation as OperationDefinitionNode;
  const { errors } = getVariableValues(schema, variableDefinitions, { v: value });
  return withoutValues(errors?.[0]?.message ?? 'no error');
}

describe('messages of graphql-js without the values in them', () => {
  it.each([
    ['Key', { name: { a: 's; x: "s' } }, 'Variable "$v" got an invalid value: String cannot represent a non string value.'],
    ['Key', { count: 1 }, 'Variable "$v" got an invalid value: Field "name" of required type "String!" was not provided.'],
    ['Key', 's; Field "s" is not defined by type "s".', 'Variable "$v" got an invalid value: Expected type "Key" to be an object.'],
    ['Key', { name: 'a', count: 's' }, 'Variable "$v" got an invalid value: Int cannot represent non-integer value.'],
    ['[Key!]', [null], 'Variable "$v" got an invalid value: Expected non-nullable type "Key!" not to be null.'],
    ['Colour', 's', 'Variable "$v" got an invalid value: it does not fit its type.'],
    ['DateTime', 's', 'Variable "$v" got an invalid value: DateTime must be an RFC 3339 time with at most 6 decimals of a second.'],
  ])('say of a variable of type %s what was expected', (type, value, expected) => {
    expect(variableMessage(type, value)).toBe(expected);
  });

  it.each([
    'ask(id: {s: "hidden"})',
    'ask(flag: "hidden")',
    'ask(ratio: "hidden")',
    'ask(key: "hidden")',
    'ask(colour: "hidden")',
    'ask(key: {name: 5, count: "hidden"})',
    'ask(at: "hidden")',
  ])('do not repeat the literals of %s', (field) => {
    const errors = validate(schema, parse(`{ ${field} }`));
    expect(errors.length).toBeGreaterThan(0);
    for (const { message } of errors) expect(withoutValues(message)).not.toContain('hidden');
  });

  it('stay as they are when there is no value in them', () => {
    for (const message of [
      'Cannot query field "a" on type "Query".',
      'Unknown argument "b" on field "Query.ask".',
      'Syntax Error: Expected Name, found "}".',
    ]) {
      expect(withoutValues(message)).toBe(message);
    }
  });
});
