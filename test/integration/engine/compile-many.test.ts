import { describe, expect, it } from '@jest/globals';
import type { CompileRequest } from '../../../src/model/run-process.js';
import { compileManyInProcess } from '../../../src/worker/compile-many.js';
import { specOf } from '../../unit/lineage/impact/impact-shop.js';

function request(columns: Record<string, string>, params: Record<string, unknown> = {}): CompileRequest {
  const dataset = { namespace: 'postgres://localhost:5432', name: 'shop.public.orders' };
  const read = { type: 'INTEGER', expression: 'CAST({} AS INTEGER)' };
  const id = { name: 'id', type: 'integer', nullable: false, ordinal: 1, read, writable: true, optional: false };
  return {
    spec: specOf({
      name: 'one',
      params,
      inputs: { orders: { connection: 'shop', stream: 'public.orders' } },
      steps: [{ id: 'shaped', map: { from: 'orders', columns } }],
      outputs: [{ from: 'shaped', connection: 'shop', stream: 'mart.orders', load: { mode: 'append' } }],
    }),
    inputs: { orders: { stream: 'public.orders', dataset, columns: [id], primaryKey: ['id'], uniqueKeys: [['id']], cursorCandidates: ['id'] } },
    inputKinds: { orders: 'postgres' },
    outputs: [{ kind: 'postgres', dataset: { ...dataset, name: 'shop.mart.orders' }, existing: null }],
  };
}

describe('compiling many documents in one process', () => {
  it('answers in the order of the requests, each for itself', async () => {
    const outcomes = await compileManyInProcess()([request({ a: 'id + 1' }), request({ a: 'nothing' }), request({ a: `id || '!'` })]);
    expect(outcomes).toMatchObject([{ result: { compiled: {} } }, { result: { code: 'INVALID_SPEC' } }, { result: { compiled: {} } }]);
    expect(await compileManyInProcess()([request({ a: 'id + $more' }, { more: { type: 'INTEGER', default: 1 } })])).toMatchObject([
      { result: { compiled: {} } },
    ]);
    expect(outcomes[2]).toMatchObject({ casts: [{ step: 'shaped', column: 'id', from: 'INTEGER', to: 'VARCHAR' }] });
  });

  it('costs a few milliseconds for each but the first', async () => {
    const started = performance.now();
    const outcomes = await compileManyInProcess()(Array.from({ length: 50 }, () => request({ a: 'id + 1' })));
    expect(outcomes.every((outcome) => 'result' in outcome)).toBe(true);
    expect(performance.now() - started).toBeLessThan(15_000);
  }, 30_000);

  it('says of each document that its process could not be had', async () => {
    const outcomes = await compileManyInProcess({ entry: '/nowhere/run-process.js' })([request({ a: 'id' }), request({ a: 'id' })]);
    expect(outcomes).toEqual([{ failure: expect.stringContaining('ended by itself') }, { failure: expect.stringContaining('ended by itself') }]);
  });

  it('asks for nothing when there is nothing to compile', async () => expect(await compileManyInProcess()([])).toEqual([]));
});
