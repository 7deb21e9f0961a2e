import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('sets');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)');
});
afterAll(() => shop.close());

function maker(name: string, from: string, columns: Readonly<Record<string, string>>, to = `mart.${name}`): Row {
  return {
    version: 1,
    namespace: shop.name,
    name,
    inputs: { read: { connection: shop.name, stream: from } },
    steps: [{ id: 'shaped', map: { from: 'read', columns } }],
    outputs: [{ from: 'shaped', connection: shop.name, stream: to, load: { mode: 'upsert', key: ['id'] } }],
  };
}

async function versionOf(name: string): Promise<number | undefined> {
  return (await shop.pipelines.get({ namespace: shop.name, name }))?.version;
}

describe('saving several pipelines at once', () => {
  it('renames a column in the producer and its reader, whatever the order they are given in', async () => {
    await shop.save(maker('first', 'public.orders', { id: 'id', amount: 'amount' }));
    await shop.save(maker('second', 'mart.first', { id: 'id', doubled: 'amount * 2' }));
    const producer = maker('first', 'public.orders', { id: 'id', total: 'amount' });
    const reader = maker('second', 'mart.first', { id: 'id', doubled: 'total * 2' });
    expect(await shop.pipelines.save({ spec: producer })).toMatchObject({ outcome: 'blocked' });
    expect(await shop.pipelines.save({ spec: reader })).toMatchObject({ outcome: 'invalid' });
    const saved = await shop.pipelines.saveAll({ specs: [reader, producer], expectedVersions: [1, null] });
    expect(saved).toMatchObject({
      outcome: 'saved',
      pipelines: [
        { name: 'second', version: 2 },
        { name: 'first', version: 2 },
      ],
    });
  });

  it('makes a whole chain of tables that are not there', async () => {
    const specs = [
      maker('third_c', 'mart.third_b', { id: 'id', c: 'b + 1' }),
      maker('third_a', 'public.orders', { id: 'id', a: 'amount' }),
      maker('third_b', 'mart.third_a', { id: 'id', b: 'a + 1' }),
    ];
    expect(await shop.pipelines.saveAll({ specs })).toMatchObject({ outcome: 'saved', pipelines: [{ version: 1 }, { version: 1 }, { version: 1 }] });
  });

  it('saves none when one of them is wrong, is not at its version, or breaks a reader outside the set', async () => {
    await shop.save(maker('kept', 'public.orders', { id: 'id', amount: 'amount' }));
    await shop.save(maker('kept_reader', 'mart.kept', { id: 'id', amount: 'amount' }));
    const fresh = maker('fresh', 'public.orders', { id: 'id' });
    const wrong = maker('wrong', 'public.orders', { id: 'id', x: 'nothing + 1' });
    expect(await shop.pipelines.saveAll({ specs: [fresh, wrong] })).toMatchObject({
      outcome: 'invalid',
      issues: [{ path: 'specs[1].steps[0].map.columns.x' }],
    });
    expect(await shop.pipelines.saveAll({ specs: [fresh, maker('kept', 'public.orders', { id: 'id' })], expectedVersions: [0, 7] })).toMatchObject({
      outcome: 'conflict',
    });
    const breaking = await shop.pipelines.saveAll({ specs: [fresh, maker('kept', 'public.orders', { id: 'id' })] });
    expect(breaking).toMatchObject({
      outcome: 'blocked',
      report: {
        subjects: [
          { name: 'fresh', version: 0 },
          { name: 'kept', version: 1 },
        ],
      },
    });
    expect(await versionOf('fresh')).toBeUndefined();

    const acknowledge = breaking.outcome === 'blocked' ? breaking.report.id : '';
    const swapped = [maker('kept', 'public.orders', { id: 'id' }), fresh];
    expect(await shop.pipelines.saveAll({ specs: swapped, acknowledge })).toMatchObject({ outcome: 'saved' });
    expect(await shop.audit.ofPipeline({ namespace: shop.name, name: 'fresh' })).toMatchObject([
      {
        pipelines: [
          { name: 'fresh', version: 0, savedVersion: 1 },
          { name: 'kept', version: 1, savedVersion: 2 },
        ],
      },
    ]);
  });

  it('refuses a pipeline given twice, a circle, and lists that do not fit', async () => {
    const one = maker('one', 'mart.two', { id: 'id' });
    const two = maker('two', 'mart.one', { id: 'id' });
    expect(await shop.pipelines.saveAll({ specs: [one, two, one] })).toEqual({
      outcome: 'invalid',
      issues: [{ path: 'specs[2].name', message: `Pipeline ${shop.name}/one is given as specs[0] already; give it once.` }],
    });
    const message = `${shop.name}/one, ${shop.name}/two read in a circle what they make, so that none can be the first. Take one out of the set, or let it read another table.`;
    expect(await shop.pipelines.saveAll({ specs: [maker('free', 'public.orders', { id: 'id' }), one, two] })).toEqual({
      outcome: 'invalid',
      issues: [
        { path: 'specs[1].inputs', message },
        { path: 'specs[2].inputs', message },
      ],
    });
    await expect(shop.pipelines.saveAll({ specs: [one], expectedVersions: [1, 2] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(shop.pipelines.saveAll({ specs: [] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(shop.pipelines.saveAll({ specs: Array.from({ length: 101 }, () => one) })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('locks in the order of names, so that sets in any order do not block one another', async () => {
    const set = (description: string): Row[] => ['lock_a', 'lock_b', 'lock_c'].map((name) => ({ ...maker(name, 'public.orders', { id: 'id' }), description }));
    const saved = await Promise.all([
      shop.pipelines.saveAll({ specs: set('1') }),
      shop.otherPipelines.saveAll({ specs: set('2').reverse() }),
      shop.pipelines.saveAll({ specs: set('3') }),
      shop.otherPipelines.saveAll({ specs: set('4').reverse() }),
    ]);
    expect(saved.map(({ outcome }) => outcome)).toEqual(Array(4).fill('saved'));
    expect(await Promise.all(['lock_a', 'lock_b', 'lock_c'].map(versionOf))).toEqual([4, 4, 4]);
    const [a, b] = await Promise.all(['lock_a', 'lock_b'].map((name) => shop.pipelines.get({ namespace: shop.name, name })));
    expect(a?.description).toBe(b?.description);
  });
});
