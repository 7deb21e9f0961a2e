import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
const named = (name: string): string => `${shop.name}-${name}`;
const config = (changes = {}) => ({
  host: '127.0.0.1',
  port: shop.database.port,
  database: shop.database.name,
  user: shop.database.user,
  password: '${env:TRIBUTARY_SECRET_SHOP}',
  ...changes,
});

beforeAll(async () => {
  shop = await openShop('connecting');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY)');
});
afterAll(() => shop.close());

describe('creating a connection', () => {
  it('keeps the reference, never the secret, and fixes the namespace of its datasets', async () => {
    const made = await shop.connections.create({ name: named('kept'), kind: 'postgres', config: config() });
    expect(made).toMatchObject({ name: named('kept'), kind: 'postgres', config: config(), datasetNamespace: `postgres://localhost:${shop.database.port}` });
    expect(await shop.connections.list()).toContainEqual(made);
    const stored = await shop.query('MATCH (connection:Connection {name: $name}) RETURN properties(connection) AS all', { name: made.name });
    expect(JSON.stringify(stored)).not.toContain(shop.database.password);
  });

  it('refuses a secret that is written out, without repeating it', async () => {
    const attempt = shop.connections.create({ name: named('literal'), kind: 'postgres', config: config({ password: 'hunter2-hunter2' }) });
    await expect(attempt).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: '`password` is a secret: write it as ${env:TRIBUTARY_SECRET_…} and set that variable where the server runs.',
    });
  });

  it.each([
    ['another variable as secret', { password: '${env:HOME}' }],
    ['a variable inside a longer secret', { password: 'x${env:TRIBUTARY_SECRET_SHOP}' }],
    ['a reference where no secret is', { host: '${env:TRIBUTARY_SECRET_SHOP}' }],
    ['an unknown field', { passwrod: 'x' }],
    ['a port out of range', { port: 70_000 }],
  ])('refuses %s', async (_, changes) => {
    await expect(shop.connections.create({ name: named('bad'), kind: 'postgres', config: config(changes) })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('refuses an unknown kind and a name that cannot be written in a document', async () => {
    await expect(shop.connections.create({ name: named('kind'), kind: 'constructor', config: {} })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/^There is no connector of kind constructor; there are: (postgres, file|file, postgres)\.$/),
    });
    await expect(shop.connections.create({ name: 'two words', kind: 'postgres', config: config() })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('gives a name to one of eight concurrent creators only', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => shop.connections.create({ name: named('race'), kind: 'postgres', config: config() })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
  });
});

describe('using a connection', () => {
  it('says whether it can be reached', async () => {
    expect(await shop.connections.check(shop.name)).toEqual({ ok: true, latencyMs: expect.any(Number), error: null });
    await shop.connections.create({ name: named('nobody'), kind: 'postgres', config: config({ port: 1 }) });
    expect(await shop.connections.check(named('nobody'))).toMatchObject({ ok: false, error: { code: 'CONNECTION_FAILED' } });
    await shop.connections.create({ name: named('unset'), kind: 'postgres', config: config({ password: '${env:TRIBUTARY_SECRET_UNSET}' }) });
    expect(await shop.connections.check(named('unset'))).toMatchObject({
      ok: false,
      error: {
        code: 'SECRET_MISSING',
        message: `Connection ${named('unset')} needs the variable TRIBUTARY_SECRET_UNSET, which is not set where the server runs; set it and start the server again.`,
      },
    });
    await expect(shop.connections.check('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('discovers its streams, and puts secrets in place for a run only', async () => {
    expect((await shop.connections.discover(shop.name)).map(({ stream }) => stream)).toEqual(['public.orders']);
    expect(await shop.connections.resolve([shop.name])).toMatchObject({
      [shop.name]: { config: { password: shop.database.password }, datasetNamespace: shop.namespace },
    });
    await expect(shop.connections.resolve(['nowhere'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('deleting a connection', () => {
  it('is refused while a saved pipeline uses it, and possible once that is deleted', async () => {
    const name = named('used');
    await shop.connections.create({ name, kind: 'postgres', config: config() });
    const stream = { connection: name, stream: 'public.orders' };
    const spec = {
      version: 1,
      namespace: shop.name,
      name: 'user',
      inputs: { orders: stream },
      steps: [],
      outputs: [{ from: 'orders', connection: name, stream: 'mart.copy', load: { mode: 'append' } }],
    };
    const pipeline = await shop.save(spec);
    await expect(shop.connections.delete(name)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(`is used by ${shop.name}/user;`) });
    await shop.pipelines.delete(pipeline);
    expect(await shop.connections.delete(name)).toBe(true);
    expect(await shop.connections.delete(name)).toBe(false);
  });
});
