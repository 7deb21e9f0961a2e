import type { Column } from '../model/catalogue.js';
import type { ColumnSchema } from '../model/dataset.js';
import type { ColumnKey } from '../model/lineage-query.js';
import { boolean, type Fields, fields, integer, optionalBoolean, optionalText, optionalTime, text } from './decode.js';
import { nothing, statement } from './statement.js';

/** A column that a dataset has or had. */
export interface KnownColumn extends ColumnSchema {
  readonly id: string;
  readonly datasetId: string;
  readonly present: boolean;
}

export interface OpenedColumn extends ColumnSchema {
  /** Used when the dataset never had a column of this name. */
  readonly id: string;
  readonly datasetId: string;
}

export interface ChangedColumn {
  readonly id: string;
  readonly type: string | null;
  readonly nullable: boolean | null;
  readonly ordinal: number;
}

function column(record: Fields): Column {
  const map = fields(record, 'column');
  const name = text(map, 'name');
  return {
    kind: 'COLUMN',
    id: text(map, 'id'),
    displayName: `${text(record, 'datasetName')}.${name}`,
    deletedAt: optionalTime(map, 'deletedAt'),
    datasetId: text(map, 'datasetId'),
    name,
    type: optionalText(map, 'type'),
    nullable: optionalBoolean(map, 'nullable'),
    ordinal: integer(map, 'ordinal'),
    description: optionalText(map, 'description'),
  };
}

export const columnsOfDatasets = statement<{ datasetIds: readonly string[]; limit: number }, Column>('columns/of-datasets', ['datasetIds', 'limit'], column);
export const columnsEverOfDatasets = statement<{ datasetIds: readonly string[] }, KnownColumn>('columns/ever-of-datasets', ['datasetIds'], (record) => ({
  id: text(record, 'id'),
  datasetId: text(record, 'datasetId'),
  name: text(record, 'name'),
  type: optionalText(record, 'type'),
  nullable: optionalBoolean(record, 'nullable'),
  ordinal: integer(record, 'ordinal'),
  present: boolean(record, 'present'),
}));
/** Result: the column with the name that was asked for. */
export const findColumns = statement<{ columns: readonly ColumnKey[] }, ColumnKey & { column: Column }>('columns/find', ['columns'], (record) => ({
  namespace: text(record, 'namespace'),
  dataset: text(record, 'dataset'),
  name: text(record, 'name'),
  column: column(record),
}));
export const findColumnsByIds = statement<{ ids: readonly string[] }, Column>('columns/find-by-ids', ['ids'], column);

export const openColumns = statement<{ columns: readonly OpenedColumn[]; at: string }, null>('columns/open', ['columns', 'at'], nothing);
export const changeColumns = statement<{ columns: readonly ChangedColumn[] }, null>('columns/change', ['columns'], nothing);
export const closeColumns = statement<{ ids: readonly string[]; at: string }, null>('columns/close', ['ids', 'at'], nothing);
