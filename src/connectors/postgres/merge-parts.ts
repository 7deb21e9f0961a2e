import type { LoadRequest } from '../../model/connector.js';
import type { TableName } from './identifiers.js';
import type { RefusedCounts } from './refused.js';
import type { StagedCounts } from './stage.js';

/** What a merge works on: the temporary tables of the same session. */
export interface Merge {
  readonly request: LoadRequest;
  readonly table: TableName;
  readonly staged: StagedCounts;
  readonly refused: RefusedCounts;
}
