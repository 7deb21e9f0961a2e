import neo4j from 'neo4j-driver';

/** Parameters as the driver wants them: it sends every JavaScript number as a float, so whole numbers become integers here. */
export function toParameters(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? neo4j.int(value) : value;
  if (Array.isArray(value)) return value.map(toParameters);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toParameters(field)]));
}
