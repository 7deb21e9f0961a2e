import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CommittedLoad, RefusedRow, Session } from '../../../src/model/connector.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import type { TextRow } from '../../unit/pipeline/csv.js';
import { type LoadOptions, loadRequest, loadRows, never, openSession, refusedRows, stageErased, stageRows } from './loading.js';

let database: TestDatabase;
let session: Session;
const none = { staged: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 };
const options = { columns: { id: 'integer', v: 'text', at: 'date' }, key: ['id'], orderBy: 'at' };
const day = (number: number) => `2024-01-0${number}`;
const stored = () => database.query<{ id: number }>('SELECT id FROM public.target ORDER BY id').then((rows) => rows.map(({ id }) => id));

beforeAll(async () => {
  database = await createDatabase('erases');
  session = openSession(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.query('DROP TABLE IF EXISTS public.target, public._tributary_loads, public._tributary_state');
});

async function load(rows: readonly TextRow[], erased: readonly (readonly [readonly string[], readonly TextRow[]])[], given: LoadOptions = options) {
  const request = loadRequest(session, given);
  const opened = await session.load(request, never);
  if (rows.length > 0) await stageRows(opened, request, rows);
  for (const [columns, erasures] of erased) await stageErased(opened, columns, erasures);
  const refused = await refusedRows(opened);
  return { refused, ...(await opened.commit(never)) } satisfies CommittedLoad & { refused: RefusedRow[] };
}

describe('erased keys', () => {
  it('delete the stored row, unless the same load has a row with the key; what is not there is unchanged', async () => {
    await loadRows(
      session,
      [
        ['1', 'a', day(1)],
        ['2', 'b', day(1)],
        ['3', 'c', day(1)],
      ],
      options,
    );
    const { counts } = await load([['2', 'B', day(2)]], [[['id'], [['1'], ['2'], ['9']]]]);
    expect(counts).toEqual({ ...none, staged: 4, updated: 1, deleted: 1, unchanged: 2 });
    expect(await stored()).toEqual([2, 3]);
  });

  it('with an order leave a newer row, and delete an equal one, an older one and one without order', async () => {
    await database.query('CREATE TABLE public.target (id integer PRIMARY KEY, v text, at date)');
    await database.query(`INSERT INTO public.target VALUES (1, '', '2024-01-01'), (2, '', '2024-01-02'), (3, '', '2024-01-03'), (4, '', NULL)`);
    const { counts } = await load(
      [],
      [
        [
          ['id', 'at'],
          [
            ['1', day(2)],
            ['2', day(2)],
            ['3', day(2)],
            ['4', day(2)],
          ],
        ],
      ],
    );
    expect(counts).toEqual({ ...none, staged: 4, deleted: 3, unchanged: 1 });
    expect(await stored()).toEqual([3]);
  });

  it('with and without an order stand side by side in one load', async () => {
    await loadRows(
      session,
      [
        ['1', 'a', day(5)],
        ['2', 'b', day(5)],
      ],
      options,
    );
    const { counts } = await load(
      [],
      [
        [
          ['id', 'at'],
          [
            ['1', day(1)],
            ['2', day(1)],
          ],
        ],
        [['id'], [['2']]],
      ],
    );
    expect(counts).toEqual({ ...none, staged: 3, deleted: 1, unchanged: 2 });
    expect(await stored()).toEqual([1]);
  });

  it('that are repeated delete once and count as often as they came', async () => {
    await loadRows(session, [['1', 'a', day(1)]], options);
    const { counts } = await load([], [[['id'], [['1'], ['1'], ['1']]]]);
    expect(counts).toEqual({ ...none, staged: 3, deleted: 1, unchanged: 2 });
  });

  it('without a key or order are refused, and so delete nothing', async () => {
    await loadRows(
      session,
      [
        ['1', 'a', day(1)],
        ['2', 'b', day(1)],
      ],
      options,
    );
    const { counts, refused } = await load(
      [[null, 'x', day(2)]],
      [
        [
          ['id', 'at'],
          [
            [null, day(2)],
            ['1', null],
            ['2', day(2)],
          ],
        ],
      ],
    );
    expect(refused.map(({ position, code, row }) => ({ position, code, row }))).toEqual([
      { position: 1, code: 'NULL_KEY', row: { id: null, v: 'x', at: day(2) } },
      { position: 100, code: 'NULL_KEY', row: { id: null, at: day(2) } },
      { position: 101, code: 'NULL_ORDER', row: { id: '1', at: null } },
    ]);
    expect(counts).toEqual({ ...none, staged: 4, deleted: 1, rejected: 3 });
    expect(await stored()).toEqual([1]);
  });

  it('are not spared for a staged row that is itself refused', async () => {
    await loadRows(session, [['1', 'a', day(1)]], options);
    const { counts } = await load([['1', 'refused', null]], [[['id'], [['1']]]]);
    expect(counts).toEqual({ ...none, staged: 2, deleted: 1, rejected: 1 });
  });

  it('of several columns match as a whole', async () => {
    const given = { columns: { region: 'text', id: 'integer', v: 'text' }, key: ['region', 'id'] };
    await loadRows(
      session,
      [
        ['eu', '1', 'a'],
        ['us', '1', 'b'],
        ['eu', '2', 'c'],
      ],
      given,
    );
    const { counts } = await load(
      [],
      [
        [
          ['region', 'id'],
          [
            ['eu', '1'],
            ['us', '2'],
          ],
        ],
      ],
      given,
    );
    expect(counts).toEqual({ ...none, staged: 2, deleted: 1, unchanged: 1 });
    expect(await database.query('SELECT region, id FROM public.target ORDER BY 1, 2')).toEqual([
      { region: 'eu', id: 2 },
      { region: 'us', id: 1 },
    ]);
  });

  it('of a row that another table needs are refused by the store, and nothing changes', async () => {
    await loadRows(session, [['1', 'a', day(1)]], options);
    await database.query('CREATE TABLE child (id integer REFERENCES public.target (id)); INSERT INTO child VALUES (1)');
    try {
      await expect(load([['2', 'b', day(1)]], [[['id'], [['1']]]])).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
      expect(await stored()).toEqual([1]);
    } finally {
      await database.query('DROP TABLE child');
    }
  });

  it('have no place in an append', async () => {
    await expect(load([], [[['id'], [['1']]]], { columns: { id: 'integer' } })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
