import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Session } from '../../../src/model/connector.js';
import type { CursorState } from '../../../src/model/reading.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { loadRows, openSession } from './loading.js';

let database: TestDatabase;
let session: Session;
const key = ['id'];
const state = (last: string): CursorState => ({ stream: 'public.source', cursor: 'at', last, seen: { columns: ['a'], counts: { hash: 2 } } });
const slot = (input: string, expectedVersion: number | null, next: CursorState | null) => ({ input, expectedVersion, state: next });
const read = (...inputs: string[]) => session.readSlots('public.target', 'job_1', inputs);
const stored = () => database.query('SELECT id, v FROM public.target ORDER BY id');

beforeAll(async () => {
  database = await createDatabase('slots');
  session = openSession(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.query('DROP TABLE IF EXISTS public.target, public._tributary_loads, public._tributary_state');
});

describe('the slots of an output', () => {
  it('have version 0 and no state before anything was committed, also where there is no bookkeeping yet', async () => {
    expect(await read('b', 'a')).toEqual([
      { input: 'b', version: 0, state: null },
      { input: 'a', version: 0, state: null },
    ]);
    expect(await session.readSlots('nowhere.target', 'job_1', ['a'])).toEqual([{ input: 'a', version: 0, state: null }]);
  });

  it('keep the state that a commit gives them, and the last one when it gives none', async () => {
    await loadRows(session, [['1', 'a']], { key, slots: [slot('a', 0, state('5')), slot('b', 0, null)] });
    expect(await read('a', 'b')).toEqual([
      { input: 'a', version: 1, state: state('5') },
      { input: 'b', version: 1, state: null },
    ]);
    await loadRows(session, [['1', 'b']], { key, slots: [slot('a', 1, null), slot('b', 1, state('7'))] });
    expect(await read('a', 'b')).toEqual([
      { input: 'a', version: 2, state: state('5') },
      { input: 'b', version: 2, state: state('7') },
    ]);
  });

  it('that another run has moved on since they were read refuse the commit, and nothing changes', async () => {
    await loadRows(session, [['1', 'first']], { key, slots: [slot('a', 0, state('5'))] });
    await expect(loadRows(session, [['1', 'late']], { key, slots: [slot('a', 0, state('4'))] })).rejects.toMatchObject({
      code: 'EPOCH_FENCED',
      message: expect.stringContaining('version 1 of its state, expected 0'),
    });
    expect(await stored()).toEqual([{ id: 1, v: 'first' }]);
    expect(await read('a')).toEqual([{ input: 'a', version: 1, state: state('5') }]);
  });

  it('do not refuse another attempt of the load that moved them: it finds what was committed', async () => {
    const slots = [slot('a', 0, state('5'))];
    const first = await loadRows(session, [['1', 'first']], { key, slots, loadId: 'again/0/1' });
    const second = await loadRows(session, [['1', 'second']], { key, slots, loadId: 'again/0/1', attempt: 2, epoch: 2 });
    expect(second).toMatchObject({ attempt: 1, counts: first.counts });
    expect(await read('a')).toEqual([{ input: 'a', version: 1, state: state('5') }]);
  });

  it('of which two runs read the same version let exactly one of them commit', async () => {
    for (let round = 0; round < 10; round += 1) {
      const slots = [slot('a', round, state(String(round)))];
      const ends = await Promise.allSettled(['x', 'y'].map((v) => loadRows(session, [['1', `${v}${round}`]], { key, slots })));
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(ends.find((end) => end.status === 'rejected')?.reason).toMatchObject({ code: 'EPOCH_FENCED' });
    }
  });

  it('written by a newer version of the format are refused', async () => {
    await loadRows(session, [['1', 'a']], { key, slots: [slot('a', 0, null)] });
    await database.query('UPDATE public._tributary_state SET format = 99');
    await expect(read('a')).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
  });
});
