import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Documents } from '../../../src/documents/documents.js';
import type { RejectedRow } from '../../../src/model/dead-letter.js';
import { DeadLetterService } from '../../../src/services/dead-letters.js';
import { documentsUri } from './documents-uri.js';

let documents: Documents;
let letters: DeadLetterService;

beforeAll(async () => {
  documents = await Documents.open({ uri: documentsUri() });
  letters = new DeadLetterService({ letters: documents.deadLetters });
});
afterAll(() => documents.close());

const page = { first: 100, after: null };
const outputs = ['mart.orders', 'mart.totals'].map((stream) => ({ connection: 'warehouse', stream }));

function row(id: string, loadId: string, values: Record<string, unknown> = { amount: 'abc' }): RejectedRow {
  return { id, loadId, stage: 'transform', step: 'typed', code: 'CAST_FAILED', message: 'amount is not a DECIMAL(12,2).', row: values };
}

function newRun(): { id: string; pipelineId: string } {
  return { id: randomUUID(), pipelineId: `job_${randomUUID()}` };
}

describe('dead letters', () => {
  it('are seen by nobody before their load has been committed', async () => {
    const run = newRun();
    await letters.store(run, 1, [row('a', `${run.id}/0/1`)], outputs);
    expect((await letters.list({ runId: run.id, ...page })).totalCount).toBe(0);
    expect(await letters.byId('dl_a')).toBeNull();
    expect(await letters.runsWithPending()).toContain(run.id);
  });

  it('of the attempt that committed are opened, those of other attempts are gone', async () => {
    const run = newRun();
    const load = `${run.id}/0/1`;
    await letters.store(run, 1, [row(`${run.id}-x`, load), row(`${run.id}-y`, load)], outputs);
    await letters.store(run, 2, [row(`${run.id}-x`, load)], outputs);
    await letters.open(load, 2);
    const { items, totalCount } = await letters.list({ runId: run.id, ...page });
    expect(totalCount).toBe(1);
    expect(items[0]?.node).toMatchObject({
      id: `dl_${run.id}-x`,
      attempt: 2,
      status: 'OPEN',
      step: 'typed',
      row: { amount: 'abc' },
      pipelineId: run.pipelineId,
    });
    expect(await letters.byId(`dl_${run.id}-x`)).toMatchObject({ runId: run.id });
    expect(await letters.runsWithPending()).not.toContain(run.id);
  });

  it('written twice by one attempt are there once, and opening them again changes nothing', async () => {
    const run = newRun();
    const load = `${run.id}/0/1`;
    await letters.store(run, 1, [row(`${run.id}-x`, load)], outputs);
    await letters.store(run, 1, [row(`${run.id}-x`, load)], outputs);
    await letters.open(load, 1);
    await letters.store(run, 1, [row(`${run.id}-x`, load)], outputs);
    await letters.open(load, 1);
    expect((await letters.list({ runId: run.id, ...page })).totalCount).toBe(1);
  });

  it('of a run without a commit are removed, what was opened stays', async () => {
    const run = newRun();
    await letters.store(run, 1, [row(`${run.id}-first`, `${run.id}/0/1`), row(`${run.id}-second`, `${run.id}/1/1`)], outputs);
    await letters.open(`${run.id}/0/1`, 1);
    await letters.discardPending(run.id);
    const { items } = await letters.list({ runId: run.id, ...page });
    expect(items.map(({ node }) => node.id)).toEqual([`dl_${run.id}-first`]);
  });

  it('keep column names and values as they are', async () => {
    const run = newRun();
    const values = { 'a.b': '1', $set: 'x', '': null, __proto: '\u2028"\\', nested: { deep: ['é', null] } };
    await letters.store(run, 1, [row(`${run.id}-odd`, `${run.id}/0/1`, values)], outputs);
    await letters.open(`${run.id}/0/1`, 1);
    expect((await letters.byId(`dl_${run.id}-odd`))?.row).toEqual(values);
  });

  it('say so when a row is too large to be kept', async () => {
    const run = newRun();
    await letters.store(run, 1, [row(`${run.id}-large`, `${run.id}/0/1`, { text: 'x'.repeat(16 * 1024 * 1024) })], outputs);
    await letters.open(`${run.id}/0/1`, 1);
    expect(await letters.byId(`dl_${run.id}-large`)).toMatchObject({ row: null, message: expect.stringMatching(/16777227 bytes\) is too large/) });
  });

  it('are listed newest first, page by page, without gap or repeat', async () => {
    const run = newRun();
    const load = `${run.id}/0/1`;
    const ids = Array.from({ length: 25 }, (_, index) => `${run.id}-${String(index).padStart(2, '0')}`);
    await letters.store(
      run,
      1,
      ids.slice(0, 20).map((id) => row(id, load)),
      outputs,
    );
    await letters.store(
      run,
      1,
      ids.slice(20).map((id) => row(id, load)),
      outputs,
    );
    await letters.open(load, 1);
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const found = await letters.list({ runId: run.id, first: 7, after });
      expect(found).toMatchObject({ totalCount: 25, hasPreviousPage: after !== null });
      seen.push(...found.items.map(({ node }) => node.id.slice(3)));
      after = found.items.at(-1)?.cursor ?? null;
      more = found.hasNextPage;
    }
    expect([...seen].sort()).toEqual(ids);
    expect(seen.slice(0, 5).sort()).toEqual(ids.slice(20));
  });

  it('refuse a cursor that is not theirs', async () => {
    for (const after of ['nonsense', '', Buffer.from('["a","b"]').toString('base64url'), Buffer.from('[1]').toString('base64url')]) {
      await expect(letters.list({ first: 1, after })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
  });
});

describe('the connection to MongoDB', () => {
  it('answers when asked whether it is ready', async () => {
    await expect(documents.ready()).resolves.toBeUndefined();
  });

  it('says which host does not answer, and nothing of the credentials', async () => {
    const uri = 'mongodb://user:very-secret@127.0.0.1:1/tributary?authSource=admin';
    const failure = await Documents.open({ uri, connectTimeoutMs: 10 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retryable: true, message: expect.stringContaining('127.0.0.1:1') });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('very-secret');
  });

  it('gives up at once on an address that is none', async () => {
    await expect(Documents.open({ uri: 'mongodb://user:very-secret@' })).rejects.toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retryable: false });
  });
});
