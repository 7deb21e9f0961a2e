import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CompiledPipeline } from '../../../../src/model/compiled-pipeline.js';
import type { LoadRequest, RefusedRow, Session } from '../../../../src/model/connector.js';
import type { RejectedRow } from '../../../../src/model/dead-letter.js';
import type { PipelineSpec } from '../../../../src/model/pipeline-spec.js';
import type { ReplayPart } from '../../../../src/model/run-process.js';
import type { Segment } from '../../../../src/model/segment.js';
import { runPass } from '../../../../src/pipeline/execute/run-pass.js';
import { OutputLoad } from '../../../../src/pipeline/load/output-load.js';
import { planReplay, replayedPipeline } from '../../../../src/pipeline/replay/plan-replay.js';
import { runReplay } from '../../../../src/pipeline/replay/run-replay.js';
import { parseSpec } from '../../../../src/pipeline/spec/parse-spec.js';
import { openDuckDb } from '../../../../src/pipeline/transform/duckdb.js';

const dataset = { namespace: 'postgres://localhost:5432', name: 'shop.public.orders' };
const rejecting = '("amount" IS NOT NULL AND TRY_CAST("amount" AS DECIMAL(9,2)) IS NULL)';
const spec: PipelineSpec = parseSpec(`{version: 1, name: p, namespace: n, inputs: {orders: {connection: shop, stream: orders}},
  steps: [{id: typed, cast: {from: orders, columns: {amount: "DECIMAL(9,2)"}, onError: reject}}, {id: kept, filter: {from: typed, where: "amount > 0"}}],
  outputs: [{from: kept, connection: shop, stream: mart.orders, load: {mode: upsert, key: [id]}}, {from: typed, connection: shop, stream: mart.all, load: {mode: append}}]}`).spec;

function output(index: number): CompiledPipeline['outputs'][number] {
  const { from, connection, stream, load } = spec.outputs[index] as PipelineSpec['outputs'][number];
  const columns = [
    { name: 'id', type: 'integer', sql: '"_text:id"' },
    { name: 'amount', type: 'numeric(9,2)', sql: 'CAST("amount" AS VARCHAR)' },
  ];
  const lineage = { output: dataset, inputs: [dataset], columns: [], influences: [] };
  return { from, connection, stream, load, inputs: ['orders'], dataset, existing: null, columns, erases: [], lineage };
}

/** As the document above is bound to a table orders (id integer, amount text). */
const compiled: CompiledPipeline = {
  inputs: [
    {
      alias: 'orders',
      connection: 'shop',
      stream: 'public.orders',
      dataset,
      incremental: null,
      recomputeBy: [],
      schema: [],
      rejects: null,
      columns: [
        { name: 'id', storeType: 'integer', value: false, text: true, read: { type: 'INTEGER', expression: 'CAST({} AS INTEGER)' } },
        { name: 'amount', storeType: 'text', value: true, text: true, read: { type: 'VARCHAR', expression: '{}' } },
      ],
    },
  ],
  steps: [
    {
      id: 'typed',
      kind: 'cast',
      from: ['orders'],
      blocking: null,
      selects: [`SELECT _pos, "_text:id", TRY_CAST("amount" AS DECIMAL(9,2)) AS "amount" FROM "orders" WHERE NOT ${rejecting}`],
      rejects: {
        conditionSql: rejecting,
        messageSql: "'amount cannot be cast to DECIMAL(9,2)'",
        rowSql: `json_object('id', "_text:id", 'amount', "_text:amount")`,
        columns: [
          { name: 'id', type: 'INTEGER', value: false, text: true, passedFrom: { dataset, name: 'id' } },
          { name: 'amount', type: 'VARCHAR', value: true, text: true, passedFrom: { dataset, name: 'amount' } },
        ],
      },
      expressions: [],
    },
    { id: 'kept', kind: 'filter', from: ['typed'], blocking: null, selects: ['SELECT * FROM "typed" WHERE "amount" > 0'], rejects: null, expressions: [] },
  ],
  outputs: [output(0), output(1)],
};

let folder: string;
let connection: DuckDBConnection;
let files = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-replay-'));
  connection = await openDuckDb({ folder, memoryBytes: 64 * 2 ** 20, now: '2026-01-01T00:00:00Z' });
});
afterEach(async () => {
  connection.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function segment(columns: readonly string[], text: string): Promise<Segment> {
  files += 1;
  const path = join(folder, `letters-${files}.csv`);
  await writeFile(path, text);
  return { path, columns, rows: text.split('\n').length - 1, sizeBytes: text.length, widestRowBytes: text.length };
}

interface Staged {
  readonly requests: LoadRequest[];
  text: string;
}

function loadOf(index: number, refused: readonly RefusedRow[] = []): { load: OutputLoad; staged: Staged } {
  const staged: Staged = { requests: [], text: '' };
  const session = {
    load: async (request: LoadRequest) => {
      staged.requests.push(request);
      return {
        stage: async ({ path }: Segment) => {
          staged.text += await readFile(path, 'utf8');
        },
        refused: async function* () {
          yield refused;
        },
      };
    },
  } as unknown as Session;
  const identity = { loadId: `run/${index}/1`, pipelineId: 'job_1', runId: 'run', attempt: 1, epoch: 1 };
  return { load: new OutputLoad(compiled.outputs[index] as CompiledPipeline['outputs'][number], identity, session, new AbortController().signal), staged };
}

async function replay(parts: readonly ReplayPart[], loads: ReadonlyMap<number, OutputLoad>): Promise<RejectedRow[]> {
  const letters: RejectedRow[] = [];
  await runReplay({
    passes: planReplay(compiled, spec, parts),
    outputs: loads,
    store: async (rows) => void letters.push(...rows),
    read: () => {
      throw new Error('No input is to be read.');
    },
    execute: (pass) =>
      runPass({
        ...pass,
        erases: false,
        connection,
        folder,
        memoryBytes: 256 * 2 ** 20,
        signal: new AbortController().signal,
        onRead: () => undefined,
        onSteps: () => undefined,
      }),
  });
  return letters;
}

const positions = 2 ** 40;

describe('dead letters that go through the steps again', () => {
  it('go through the refusing step and those behind it into their output, and become letters again where they are refused again', async () => {
    const { load, staged } = loadOf(0);
    const segments = [await segment(['amount', 'id', 'note'], '1,"12.50","7","x"\n2,"many","8","x"\n3,"-1","9",\n')];
    const letters = await replay([{ stage: 'transform', step: 'typed', output: 0, segments }], new Map([[0, load]]));
    expect(staged.text).toBe('1,7,12.50\n');
    expect(staged.requests).toEqual([expect.objectContaining({ slots: [{ input: 'orders', expectedVersion: null, state: null }], mode: 'upsert' })]);
    expect(letters).toEqual([expect.objectContaining({ stage: 'transform', step: 'typed', loadId: 'run/0/1', row: { id: '8', amount: 'many' } })]);
  });

  it('go straight into the output when it was the load that refused them', async () => {
    const { load, staged } = loadOf(0, [{ position: 1, ordinal: 1, code: 'NULL_KEY', message: 'id is null.', row: { id: null, amount: '1.00' } }]);
    const segments = [await segment(['amount', 'id'], '1,"1.00",\n2,"2.00","5"\n')];
    const letters = await replay([{ stage: 'load', step: 'mart.orders', output: 0, segments }], new Map([[0, load]]));
    expect(staged.text).toBe('1,,1.00\n2,5,2.00\n');
    expect(letters).toEqual([expect.objectContaining({ stage: 'load', code: 'NULL_KEY' })]);
  });

  it('of several sets of columns and outputs stay apart: positions differ, equal rows are letters of their own', async () => {
    const [first, second] = [loadOf(0), loadOf(1)];
    const bad = async () => [await segment(['amount', 'id'], '1,"many","8"\n2,"3","9"\n')];
    const parts: ReplayPart[] = [
      { stage: 'transform', step: 'typed', output: 0, segments: await bad() },
      { stage: 'transform', step: 'typed', output: 0, segments: [await segment(['amount', 'id', 'note'], '1,"many","8","x"\n2,"3","9","y"\n')] },
      { stage: 'transform', step: 'typed', output: 1, segments: await bad() },
    ];
    const letters = await replay(
      parts,
      new Map([
        [0, first.load],
        [1, second.load],
      ]),
    );
    expect(first.staged.text).toBe(`2,9,3.00\n${positions + 2},9,3.00\n`);
    expect(second.staged.text).toBe(`${2 * positions + 2},9,3.00\n`);
    expect(new Set(letters.map(({ id }) => id)).size).toBe(3);
    expect(first.staged.requests).toHaveLength(1);
  });

  it('are not taken again for an output that is committed', async () => {
    const { load, staged } = loadOf(0);
    load.committed = {
      attempt: 1,
      committedAt: '2026-01-01T00:00:00Z',
      counts: { staged: 1, inserted: 1, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 },
    };
    await replay([{ stage: 'transform', step: 'typed', output: 0, segments: [await segment(['amount', 'id'], '1,"1","8"\n')] }], new Map([[0, load]]));
    expect(staged.requests).toEqual([]);
  });

  it('are refused by the names of the columns that were not kept', async () => {
    const part: ReplayPart = { stage: 'transform', step: 'typed', output: 0, segments: [await segment(['id'], '1,"8"\n')] };
    expect(() => planReplay(compiled, spec, [part])).toThrow(
      expect.objectContaining({ code: 'REPLAY_REFUSED', message: expect.stringMatching(/kept without "amount", which the pipeline needs/) }),
    );
    expect(() => planReplay(compiled, spec, [{ ...part, step: 'gone' }])).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/no step "gone"/) }),
    );
  });

  it('report the outputs they go to and no input', () => {
    expect(replayedPipeline(compiled, [{ stage: 'load', step: 'mart.all', output: 1, segments: [] }])).toEqual({
      ...compiled,
      inputs: [],
      outputs: [output(1)],
    });
  });
});
