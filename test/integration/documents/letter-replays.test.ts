import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Documents } from '../../../src/documents/documents.js';
import type { RejectedRow, ReplayedLetter } from '../../../src/model/dead-letter.js';
import { DeadLetterService } from '../../../src/services/dead-letters.js';
import { documentsUri } from './documents-uri.js';

const outputs = ['mart.orders', 'mart.totals'].map((stream) => ({ connection: 'warehouse', stream }));
const [orders = { connection: '', stream: '' }] = outputs;

let documents: Documents;
let letters: DeadLetterService;

beforeAll(async () => {
  documents = await Documents.open({ uri: documentsUri() });
  letters = new DeadLetterService({ letters: documents.deadLetters });
});
afterAll(() => documents.close());

/** Open letters of a new pipeline: so many on their way to each output. @returns their public ids */
async function openLetters(perOutput: number): Promise<{ pipelineId: string; runId: string; ids: string[] }> {
  const runId = randomUUID();
  const pipelineId = `job_${runId}`;
  const rows = outputs.flatMap((_, output) =>
    Array.from({ length: perOutput }, (__, number): RejectedRow => {
      const place = { loadId: `${runId}/${output}/1`, stage: 'transform', step: 'typed', code: 'VALUE_UNCONVERTIBLE', message: 'No.' } as const;
      return { ...place, id: `${runId}-${output}-${number}`, row: { number: String(number), output: String(output) } };
    }),
  );
  await letters.store({ id: runId, pipelineId }, 1, rows, outputs);
  for (const output of outputs.keys()) await letters.open(`${runId}/${output}/1`, 1);
  return { pipelineId, runId, ids: rows.map(({ id }) => `dl_${id}`) };
}

async function given(replayRunId: string): Promise<ReplayedLetter[]> {
  const found: ReplayedLetter[] = [];
  for await (const letter of letters.replayed(replayRunId)) found.push(letter);
  return found;
}

const all = (pipelineId: string) => ({ pipelineId, ids: null });
const statuses = async (ids: readonly string[]) => Promise.all(ids.map(async (id) => (await letters.byId(id))?.status));

describe('dead letters that a run takes again', () => {
  it('are with at most one run when two ask at the same time', async () => {
    const { pipelineId } = await openLetters(200);
    const runs = [randomUUID(), randomUUID(), randomUUID()];
    const counts = await Promise.all(runs.map((run) => documents.deadLetters.replays.mark(all(pipelineId), run)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
    const taken = (await Promise.all(runs.map(given))).flat().map(({ id }) => id);
    expect(new Set(taken).size).toBe(400);
    expect(taken).toHaveLength(400);
  });

  it('come in the order in which they were written', async () => {
    const { pipelineId, ids } = await openLetters(700);
    const run = randomUUID();
    expect(await documents.deadLetters.replays.mark(all(pipelineId), run)).toBe(1400);
    expect((await given(run)).map(({ id }) => id)).toEqual(ids);
    expect((await given(run))[0]).toMatchObject({ stage: 'transform', step: 'typed', output: orders, row: { number: '0', output: '0' } });
  });

  it('are REPLAYED for the outputs that were committed and open again for the others, also when it is said twice', async () => {
    const { pipelineId, ids } = await openLetters(1);
    const run = randomUUID();
    await documents.deadLetters.replays.mark(all(pipelineId), run);
    expect(await letters.runsWithReplayed()).toContain(run);
    expect(await statuses(ids)).toEqual(['OPEN', 'OPEN']);
    for (let time = 0; time < 2; time += 1) {
      await letters.resolveReplayed(run, orders);
      await letters.releaseReplayed(run);
    }
    expect(await statuses(ids)).toEqual(['REPLAYED', 'OPEN']);
    expect(await letters.runsWithReplayed()).not.toContain(run);
    expect((await given(run)).map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect(await documents.deadLetters.replays.groups(all(pipelineId))).toEqual([{ stage: 'transform', step: 'typed', output: outputs[1], count: 1 }]);
  });

  it('are chosen by their ids among the open ones of one pipeline', async () => {
    const { pipelineId, ids } = await openLetters(2);
    const other = await openLetters(1);
    await letters.discard(ids.slice(0, 1));
    const selection = { pipelineId, ids: [...ids, ...other.ids, 'dl_unknown', 'ds_1', ''] };
    expect((await documents.deadLetters.replays.groups(selection)).reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(await documents.deadLetters.replays.mark(selection, randomUUID())).toBe(3);
  });

  it('are named when their rows were too large to be kept', async () => {
    const { pipelineId, runId } = await openLetters(0);
    const large = { loadId: `${runId}/0/1`, stage: 'load', step: 'mart.orders', code: 'NULL_KEY', message: 'No.', id: `${runId}-large` } as const;
    await letters.store({ id: runId, pipelineId }, 1, [{ ...large, row: { text: 'x'.repeat(16 * 2 ** 20) } }], outputs);
    await letters.open(large.loadId, 1);
    expect(await documents.deadLetters.replays.withoutRow(all(pipelineId), 5)).toEqual([`dl_${runId}-large`]);
    expect(await documents.deadLetters.replays.refusingRuns(all(pipelineId))).toEqual([runId]);
  });
});

describe('dead letters that are discarded', () => {
  it('are counted once, and unknown ones are not counted', async () => {
    const { ids } = await openLetters(2);
    expect(await letters.discard([...ids.slice(0, 3), ids[0] ?? '', 'dl_unknown', 'nonsense'])).toBe(3);
    expect(await letters.discard(ids)).toBe(1);
    expect(await letters.discard([])).toBe(0);
    expect(await statuses(ids)).toEqual(['DISCARDED', 'DISCARDED', 'DISCARDED', 'DISCARDED']);
  });

  it('are refused while a run takes one of them again, and nothing is changed', async () => {
    const { pipelineId, ids } = await openLetters(1);
    const run = randomUUID();
    await documents.deadLetters.replays.mark({ pipelineId, ids: ids.slice(0, 1) }, run);
    await expect(letters.discard(ids)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(run) });
    expect(await statuses(ids)).toEqual(['OPEN', 'OPEN']);
  });

  it('are at most 1,000 at a time', async () => {
    await expect(letters.discard(Array.from({ length: 1_001 }, String))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
