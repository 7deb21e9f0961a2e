import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NodeRef } from '../../../src/model/lineage-query.js';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;
let orders: NodeRef;
let email: NodeRef;
let revision: number;

beforeAll(async () => {
  shop = await openShop('tagging');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY, email text, note text)');
  await shop.save(copy());
  const name = `${shop.name}.public.orders`;
  orders = { dataset: { namespace: shop.namespace, name } };
  email = { column: { namespace: shop.namespace, dataset: name, name: 'email' } };
  revision = await shop.revision();
}, 60_000);
afterAll(() => shop.close(), 60_000);

function copy(): Row {
  return {
    version: 1,
    namespace: shop.name,
    name: 'copy',
    inputs: { orders: { connection: shop.name, stream: 'public.orders' } },
    steps: [],
    outputs: [{ from: 'orders', connection: shop.name, stream: 'mart.copy', load: { mode: 'append' } }],
  };
}

async function namesOf(of: NodeRef): Promise<string[]> {
  const [node] = await shop.nodes.resolve([of]);
  const [tags = []] = await shop.tags.ofNodes([node?.id ?? '']);
  return tags.map(({ name }) => name);
}

/** Whether each interval that a node ever had a tag in is open, oldest first. */
async function intervals(of: NodeRef, name: string): Promise<Row[]> {
  const [node] = await shop.nodes.resolve([of]);
  return shop.query(
    `MATCH ({id: $id})-[tagged:TAGGED]->(:Tag {name: $name}) RETURN tagged.validTo IS NULL AS open, tagged.validFrom <= coalesce(tagged.validTo, datetime()) AS ordered ORDER BY tagged.validFrom`,
    { id: node?.id, name },
  );
}

describe('a tag', () => {
  it('is set on datasets and columns and taken away, and leaves the revision', async () => {
    expect(await shop.tags.tag(orders, 'sales')).toMatchObject({ kind: 'DATASET', displayName: `${shop.name}.public.orders` });
    expect(await shop.tags.tag(email, 'pii')).toMatchObject({ kind: 'COLUMN', name: 'email' });
    await shop.tags.tag(email, 'gdpr');
    expect([await namesOf(orders), await namesOf(email)]).toEqual([['sales'], ['gdpr', 'pii']]);
    await shop.tags.untag(email, 'gdpr');
    expect([await namesOf(orders), await namesOf(email)]).toEqual([['sales'], ['pii']]);
    expect(await shop.revision()).toBe(revision);
  });

  it('that is set twice, or taken away twice, changes nothing the second time', async () => {
    await shop.tags.tag(orders, 'twice');
    await shop.tags.tag(orders, 'twice');
    expect(await intervals(orders, 'twice')).toEqual([{ open: true, ordered: true }]);
    await shop.tags.untag(orders, 'twice');
    await shop.tags.untag(orders, 'twice');
    await shop.tags.untag(orders, 'never set');
    expect(await intervals(orders, 'twice')).toEqual([{ open: false, ordered: true }]);
    expect(await shop.query('MATCH (tag:Tag {name: "never set"}) RETURN tag')).toEqual([]);
  });

  it('that comes again keeps the interval in which it was there before', async () => {
    for (const change of ['tag', 'untag', 'tag', 'untag', 'tag'] as const) await shop.tags[change](orders, 'again');
    expect(await intervals(orders, 'again')).toEqual([
      { open: false, ordered: true },
      { open: false, ordered: true },
      { open: true, ordered: true },
    ]);
  });

  it('that twenty set at once is set once, and one that twenty take away is taken away once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => shop.tags.tag(email, 'race')));
    expect(await intervals(email, 'race')).toEqual([{ open: true, ordered: true }]);
    await Promise.all(Array.from({ length: 20 }, () => shop.tags.untag(email, 'race')));
    expect(await intervals(email, 'race')).toEqual([{ open: false, ordered: true }]);
  });

  it('that is new can be set on many nodes at once', async () => {
    const columns = ['id', 'email', 'note'].map((name): NodeRef => ({ column: { namespace: shop.namespace, dataset: `${shop.name}.public.orders`, name } }));
    const everywhere = `new of ${shop.name}`;
    await Promise.all([orders, ...columns].map((of) => shop.tags.tag(of, everywhere)));
    for (const of of [orders, ...columns]) expect(await namesOf(of)).toContain(everywhere);
  });

  it('is not taken away when its column changes, and comes back with a column that comes back', async () => {
    const note: NodeRef = { column: { namespace: shop.namespace, dataset: `${shop.name}.public.orders`, name: 'note' } };
    await shop.tags.tag(note, 'free text');
    await shop.database.query('ALTER TABLE orders DROP COLUMN note');
    await shop.save({ ...copy(), description: 'without the column' });
    for (const change of ['tag', 'untag'] as const) {
      await expect(shop.tags[change](note, 'free text')).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/^Column .*\.public\.orders\.note was deleted at 20\S+Z, and its tags stay as they were then\.$/),
      });
    }
    await shop.database.query('ALTER TABLE orders ADD COLUMN note varchar(9)');
    await shop.save({ ...copy(), description: 'with the column' });
    expect(await namesOf(note)).toContain('free text');
  });

  it.each([
    ['nothing', '', 'has 1 to 100 characters; this one has 0'],
    ['blanks alone', ' \t\n', 'this one has 0'],
    ['101 characters', 'x'.repeat(101), 'this one has 101'],
    ['a line break', 'two\nlines', 'no control characters'],
    ['a NUL', 'a\u0000b', 'no control characters'],
    ['half a character', 'a\ud800b', 'no control characters'],
  ])('cannot be called %s', async (_, name, message) => {
    await expect(shop.tags.tag(orders, name)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) });
    await expect(shop.datasets.list({ tag: name, includeDeleted: false, first: 1, after: null })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is the same however its letters are composed and whatever blanks are around it; case counts', async () => {
    const name = 'é'.repeat(100);
    await shop.tags.tag(orders, `  ${name.normalize('NFD')}\n`);
    await shop.tags.tag(orders, name);
    await shop.tags.tag(orders, 'Case');
    await shop.tags.tag(orders, 'case');
    expect((await namesOf(orders)).filter((one) => [name, 'Case', 'case'].includes(one))).toEqual(['Case', 'case', name]);
  });

  it('is refused for jobs, runs, and what is not there', async () => {
    await expect(shop.tags.tag({ job: { namespace: shop.name, name: 'copy' } }, 'x')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: `Job ${shop.name}/copy cannot have tags: name a dataset or a column.`,
    });
    await expect(shop.tags.untag({ column: { namespace: 'a', dataset: 'b', name: 'c' } }, 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(shop.tags.tag({}, 'x')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('can be one of a hundred, also when all come at once', async () => {
    const id: NodeRef = { column: { namespace: shop.namespace, dataset: `${shop.name}.public.orders`, name: 'id' } };
    const before = (await namesOf(id)).length;
    const results = await Promise.allSettled(Array.from({ length: 110 - before }, (_, index) => shop.tags.tag(id, `many ${index}`)));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toHaveLength(10);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('has 100 tags, and can have 100') });
    const names = await namesOf(id);
    expect(names).toHaveLength(100);
    await shop.tags.tag(id, names[0] ?? '');
    await shop.tags.untag(id, names[0] ?? '');
    await shop.tags.tag(id, 'one more');
    expect(await namesOf(id)).toHaveLength(100);
  }, 60_000);
});

describe('datasets of a tag', () => {
  it('are those that have it now themselves', async () => {
    const tag = `of ${shop.name}`;
    const list = async () => {
      const { items, totalCount } = await shop.datasets.list({ tag: ` ${tag} `, includeDeleted: false, first: 10, after: null });
      return { names: items.map(({ node }) => node.name), totalCount };
    };
    const mart: NodeRef = { dataset: { namespace: shop.namespace, name: `${shop.name}.mart.copy` } };
    await shop.tags.tag(email, tag);
    expect(await list()).toEqual({ names: [], totalCount: 0 });
    await shop.tags.tag(orders, tag);
    await shop.tags.tag(mart, tag);
    await shop.tags.untag(mart, tag);
    await shop.tags.tag(mart, tag);
    expect(await list()).toEqual({ names: [`${shop.name}.mart.copy`, `${shop.name}.public.orders`], totalCount: 2 });
    await shop.tags.untag(mart, tag);
    expect(await list()).toEqual({ names: [`${shop.name}.public.orders`], totalCount: 1 });
  });
});
