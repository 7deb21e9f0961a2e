import { describe, expect, it } from '@jest/globals';
import { Kind, parse } from 'graphql';
import { assertAffordable } from '../../../src/api/query-cost.js';
import { nestingOf } from '../../../src/api/query-shape.js';
import { buildGraphqlSchema } from '../../../src/api/schema.js';

const schema = buildGraphqlSchema();

function judge(query: string, variables: Readonly<Record<string, unknown>> = {}): void {
  const document = parse(query);
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('The query has no operation.');
  assertAffordable({ schema, document, operation, variables });
}

describe('the cost of a query', () => {
  it.each([
    '{ datasets(first: 1000) { edges { node { id name columns { name type } } } } }',
    '{ lineage(of: [], level: COLUMN, maxNodes: 200000) { nodes { depth node { id displayName } } edges { from { id } to { id } evidence transformations { type subtype expression } } } }',
    '{ a: runs(first: 1000) { edges { node { id } } } b: runs(first: 1000) { edges { node { id } } } }',
  ])('lets %s pass', (query) => {
    expect(() => judge(query)).not.toThrow();
  });

  it.each([
    '{ datasets(first: 1000) { edges { node { producers(first: 1000) { edges { node { id name namespace version } } } consumers(first: 1000) { edges { node { id name namespace version } } } } } } }',
    '{ lineage(of: [], maxNodes: 200000) { nodes { node { ... on Dataset { versions { edges { node { id } } } } } } } }',
  ])('refuses %s', (query) => {
    expect(() => judge(query)).toThrow(/at most 10,000,000 are allowed/);
  });

  const byVariable = (declaration: string) =>
    `query (${declaration}) { datasets(first: $n) { edges { node { producers(first: $n) { edges { node { id kind displayName deletedAt name namespace owners description version spec } } } } } } }`;
  it('counts variables and their defaults', () => {
    expect(() => judge(byVariable('$n: Int'), { n: 1000 })).toThrow();
    expect(() => judge(byVariable('$n: Int = 1000'))).toThrow();
    expect(() => judge(byVariable('$n: Int'), { n: 10 })).not.toThrow();
    expect(() => judge(byVariable('$n: Int = 1000'), { n: 10 })).not.toThrow();
  });

  it('counts fields through fragments and stops early where they multiply', () => {
    const fragments = Array.from({ length: 25 }, (_, index) => `fragment f${index} on Query { ...f${index + 1} ...f${index + 1} }`).join(' ');
    expect(() => judge(`{ ...f0 } ${fragments} fragment f25 on Query { connections { id } }`)).toThrow(/more than 50,000 fields/);
  });

  it('refuses what nests more than 30 fields deep', () => {
    const deep = 'dataset { columns { '.repeat(15);
    expect(() => judge(`{ column(key: {namespace: "a", dataset: "b", name: "c"}) { ${deep} id ${'}'.repeat(31)} }`)).toThrow(/more than 30 deep/);
  });
});

describe('the nesting of a query', () => {
  it.each([
    ['{ a }', 1],
    ['{ a(b: {c: [1]}) { d } }', 4],
    ['{ a(b: "{{{{") }', 2],
    ['{ a(b: "\\"{{{{") }', 2],
    ['{ a(b: """{{{ \\""" {{{ """) }', 2],
    ['# {{{{\n{ a }', 1],
    ['{ a # }\n { b } }', 2],
    ['"{{{{', 0],
    ['"""{{{{', 0],
    ['', 0],
  ])('of %j is %d', (query, depth) => {
    expect(nestingOf(query, 100)).toBe(depth);
  });

  it('is counted no further than asked', () => {
    expect(nestingOf('{'.repeat(1_000_000), 61)).toBe(61);
  });
});
