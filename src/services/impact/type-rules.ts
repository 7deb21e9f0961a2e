import type { Retype } from '../../lineage/impact/effects.js';
import type { TypeRules } from '../../lineage/impact/reader-case.js';
import type { Connector, StreamColumn } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';

/** What the connectors say about types, found by the namespace of a dataset. */
export function typeRules(connectorOf: (dataset: DatasetRef) => Connector | undefined): TypeRules {
  return {
    retype: (dataset, from, to) => retypeOf(connectorOf(dataset), from, to),
    madeColumn: (dataset, column) => typedColumn(connectorOf(dataset), column),
  };
}

/**
 * A column as a reader finds it, from what is recorded of it. A type that only its own database knows (an enumeration, a domain) is
 * recorded by its name alone: it is taken for a text.
 */
export function typedColumn(connector: Connector | undefined, column: Pick<StreamColumn, 'name' | 'type' | 'ordinal' | 'nullable'>): StreamColumn {
  const { name, type, ordinal, nullable } = column;
  const foreign = connector !== undefined && connector.createType(type) === 'text' && type !== 'text';
  const read = connector?.readConversion(type) ?? (foreign ? (connector?.readConversion('text') ?? null) : null);
  return { name, type, ordinal, nullable, read, writable: true, optional: nullable };
}

const number = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\))$/;

function retypeOf(connector: Connector | undefined, from: string, to: string): Retype {
  const exact = from === to || connector?.keepsText?.(from, to) === true;
  const [before, after] = [connector?.readConversion(from)?.type ?? null, connector?.readConversion(to)?.type ?? null];
  if (!exact) return { from, to, exact, value: 'other' };
  if (before === after) return { from, to, exact, value: 'same' };
  return { from, to, exact, value: number.test(before ?? '') && number.test(after ?? '') ? 'wider' : 'other' };
}
