import type { LoadRequest } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { CursorState, Slot } from '../../model/reading.js';
import { formatVersion } from './bookkeeping.js';
import type { PostgresClient } from './client.js';
import { quoteIdentifier } from './identifiers.js';

/** Which slots: one for each input of an output of a pipeline. `output` is the name of its dataset. */
export interface SlotNames {
  readonly pipelineId: string;
  readonly output: string;
  readonly inputs: readonly string[];
}

interface SlotRow {
  readonly input: string;
  readonly version: string;
  readonly epoch: string;
  readonly format: number;
  /** `{}`: none. */
  readonly state: CursorState | Record<string, never>;
}

/** In the order of `inputs`; version 0 where nothing was ever committed. */
export async function readSlots(client: PostgresClient, schema: string, { pipelineId, output, inputs }: SlotNames): Promise<Slot[]> {
  const exists = await client.query<{ exists: boolean }>(`SELECT to_regclass(quote_ident($1) || '._tributary_state') IS NOT NULL AS exists`, [schema]);
  const found = new Map<string, SlotRow>();
  if (exists.rows[0]?.exists) {
    const { rows } = await client.query<SlotRow>(
      `SELECT input, version, epoch, format, state FROM ${stateTable(schema)} WHERE pipeline_id = $1 AND output = $2 AND input = ANY($3::text[])`,
      [pipelineId, output, inputs],
    );
    assertFormat(schema, rows);
    for (const row of rows) found.set(row.input, row);
  }
  return inputs.map((input) => {
    const { version = '0', state = {} } = found.get(input) ?? {};
    return { input, version: Number(version), state: 'stream' in state ? (state as CursorState) : null };
  });
}

/** Locks the slots of one output in name order, making those that are missing. @throws PlatformError EPOCH_FENCED for an older epoch */
export async function lockSlots(client: PostgresClient, schema: string, { identity, slots, dataset }: LoadRequest): Promise<SlotRow[]> {
  const inputs = slots.map(({ input }) => input);
  await client.query(
    `INSERT INTO ${stateTable(schema)} (pipeline_id, input, output, format, epoch, version, state, updated_at)
     SELECT $1, input, $3, ${formatVersion}, 0, 0, '{}', now() FROM unnest($2::text[]) AS input ORDER BY input ON CONFLICT DO NOTHING`,
    [identity.pipelineId, inputs, dataset.name],
  );
  const { rows } = await client.query<SlotRow>(
    `SELECT input, version, epoch, format FROM ${stateTable(schema)} WHERE pipeline_id = $1 AND output = $2 AND input = ANY($3::text[]) ORDER BY input FOR UPDATE`,
    [identity.pipelineId, dataset.name, inputs],
  );
  assertFormat(schema, rows);
  const highest = Math.max(...rows.map((row) => Number(row.epoch)));
  if (highest > identity.epoch) {
    throw new PlatformError(
      'EPOCH_FENCED',
      `Another attempt of this pipeline has taken over at the destination (epoch ${highest}, this one has ${identity.epoch}). Nothing was written.`,
    );
  }
  return rows;
}

/** The rows of a load belong behind the state that its windows began at. @throws PlatformError EPOCH_FENCED */
export function assertVersions(locked: readonly SlotRow[], { slots, stream }: LoadRequest): void {
  for (const { input, expectedVersion } of slots) {
    const version = Number(locked.find((row) => row.input === input)?.version ?? 0);
    if (expectedVersion === null || expectedVersion === version) continue;
    throw new PlatformError(
      'EPOCH_FENCED',
      `Another run has loaded "${input}" into ${stream} since this one began to read it (version ${version} of its state, expected ${expectedVersion}). Nothing was written; start the run again.`,
      { context: { input, version, expectedVersion } },
    );
  }
}

/** Moves the slots on, with the state that each is given. */
export async function advanceSlots(client: PostgresClient, schema: string, { identity, slots, dataset }: LoadRequest): Promise<void> {
  await client.query(
    `UPDATE ${stateTable(schema)} AS slot SET epoch = $4, version = version + 1, state = COALESCE(update.state::jsonb, slot.state), updated_at = now()
     FROM unnest($3::text[], $5::text[]) AS update(input, state) WHERE pipeline_id = $1 AND output = $2 AND slot.input = update.input`,
    [
      identity.pipelineId,
      dataset.name,
      slots.map(({ input }) => input),
      identity.epoch,
      slots.map(({ state }) => (state === null ? null : JSON.stringify(state))),
    ],
  );
}

function stateTable(schema: string): string {
  return `${quoteIdentifier(schema)}._tributary_state`;
}

function assertFormat(schema: string, rows: readonly SlotRow[]): void {
  if (rows.every((row) => row.format <= formatVersion)) return;
  throw new PlatformError('DESTINATION_MISMATCH', `${schema}._tributary_state was written by a newer version of Tributary. Use that version.`);
}
