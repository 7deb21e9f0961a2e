import type { LoadRequest, RefusedRow } from '../../model/connector.js';
import type { PostgresClient } from './client.js';
import { quoteIdentifier } from './identifiers.js';
import { acceptable, acceptableErased, eraseColumns, erasedStage, type StagedCounts, stage } from './stage.js';

const batchRows = 1_000;
const refused = 'pg_temp._tributary_refused';

/** How many staged rows the commit leaves out. */
export interface RefusedCounts {
  readonly rows: number;
  readonly erased: number;
}

interface RefusedRecord {
  readonly place: string;
  readonly _pos: string;
  readonly erased: boolean;
  readonly ordinal: string;
  readonly row: Record<string, string | null>;
}

/** Sets the rows aside that have no key or no order, as texts. */
export async function collectRefused(client: PostgresClient, request: LoadRequest, staged: StagedCounts): Promise<RefusedCounts> {
  if (request.mode === 'append' || eraseColumns(request).length === 0) return { rows: 0, erased: 0 };
  const names = request.columns.map(({ name }) => name);
  const sources = [refusedOf(stage, 'false', names, acceptable(request))];
  if (staged.erased > 0) sources.push(refusedOf(erasedStage, 'true', eraseColumns(request), acceptableErased(request)));
  const { rowCount } = await client.query(
    `CREATE TEMPORARY TABLE _tributary_refused AS SELECT row_number() OVER (ORDER BY _pos, erased) AS place, _pos, erased, "row",
       row_number() OVER (PARTITION BY "row" ORDER BY _pos, erased) AS ordinal FROM (${sources.join(' UNION ALL ')}) AS refused`,
  );
  if (!rowCount) return { rows: 0, erased: 0 };
  await client.query(`CREATE INDEX ON ${refused} (place)`);
  if (staged.erased === 0) return { rows: rowCount, erased: 0 };
  const { rows } = await client.query<{ erased: string }>(`SELECT count(*) AS erased FROM ${refused} WHERE erased`);
  const erased = Number(rows[0]?.erased ?? 0);
  return { rows: rowCount - erased, erased };
}

/** The next batch behind that many rows. */
export async function readRefused(client: PostgresClient, request: LoadRequest, behind: number): Promise<RefusedRow[]> {
  const { rows } = await client.query<RefusedRecord>(
    `SELECT place, _pos, erased, ordinal, "row" FROM ${refused} WHERE place > $1 ORDER BY place LIMIT ${batchRows}`,
    [behind],
  );
  return rows.map((row) => toRefused(request, row));
}

function refusedOf(table: string, erased: string, names: readonly string[], wanted: string): string {
  const texts = names.map((name) => `${quoteIdentifier(name)}::text AS ${quoteIdentifier(name)}`).join(', ');
  return `SELECT _pos, ${erased} AS erased, to_jsonb(texts.*) - '_pos' AS "row" FROM (SELECT _pos, ${texts} FROM ${table} WHERE NOT (${wanted})) AS texts`;
}

function toRefused({ key, orderBy }: LoadRequest, { _pos, erased, ordinal, row }: RefusedRecord): RefusedRow {
  const missing = key.filter((name) => row[name] === null);
  const code = missing.length > 0 ? 'NULL_KEY' : 'NULL_ORDER';
  const names = missing.length > 0 ? missing.join(', ') : orderBy;
  const purpose = erased ? ' to delete the row that left the result' : '';
  return {
    position: Number(_pos),
    ordinal: Number(ordinal),
    code,
    message: `${names} is null, and the load needs it as ${code === 'NULL_KEY' ? 'the key' : 'orderBy'}${purpose}.`,
    row,
  };
}
