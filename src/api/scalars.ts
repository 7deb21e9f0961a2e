import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { normalizeTime } from '../lib/rfc3339.js';

/** A string all the way: a JavaScript date would lose the microseconds. */
export const DateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'RFC 3339, UTC, up to microseconds.',
  serialize: (value) => timeOf(value),
  parseValue: (value) => timeOf(value),
  parseLiteral: (node) => timeOf(node.kind === Kind.STRING ? node.value : null),
});

export const JsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => literal(node, variables ?? {}),
});

function timeOf(value: unknown): string {
  const time = typeof value === 'string' ? normalizeTime(value) : null;
  if (time === null) throw new GraphQLError('DateTime must be an RFC 3339 time with at most 6 decimals of a second, such as 2026-01-31T22:00:00Z.');
  return time;
}

function literal(node: ValueNode, variables: Readonly<Record<string, unknown>>): unknown {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => literal(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literal(field.value, variables)]));
    case Kind.VARIABLE:
      return variables[node.name.value];
  }
}
