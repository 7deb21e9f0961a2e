import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RunningApi } from '../../../src/api/server.js';
import { PlatformError } from '../../../src/model/errors.js';
import { ask, codesOf, graphql, openDoors } from './open-api.js';

const open: RunningApi[] = [];
async function doors(...settings: Parameters<typeof openDoors>): Promise<Awaited<ReturnType<typeof openDoors>>> {
  const api = await openDoors(...settings);
  open.push(api);
  return api;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.stop()));
});

const typename = '{ __typename }';

describe('the doors', () => {
  it('answer on loopback without a token', async () => {
    const api = await doors();
    expect(await graphql(api, typename)).toEqual({ data: { __typename: 'Query' } });
    expect(api.url).toMatch(/^http:\/\/localhost:\d+$/);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil.example:4000', 'localhost@evil.example'])(
    'refuse the Host %p',
    async (host) => {
      const api = await doors();
      for (const path of ['/', '/graphql', '/healthz', '/readyz', '/other']) {
        const answer = await ask(api, { path, headers: { host } });
        expect(answer.status).toBe(403);
        expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('FORBIDDEN');
      }
    },
  );

  it('refuse a request that names no Host', async () => {
    const api = await doors();
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.end('GET /healthz HTTP/1.0\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 403/);
  });

  it.each(['localhost:1234', '127.0.0.1', '[::1]:4000', 'LOCALHOST'])('accept the Host %p', async (host) => {
    expect((await ask(await doors(), { path: '/healthz', headers: { host } })).status).toBe(200);
  });

  it('accept a Host that is allowed by name', async () => {
    const api = await doors({ allowedHosts: ['tributary.internal'] });
    expect((await ask(api, { path: '/healthz', headers: { host: 'tributary.internal:8443' } })).status).toBe(200);
  });

  it.each(['https://evil.example', 'null', 'http://localhost:1', 'file://'])('refuse a page of Origin %p', async (origin) => {
    const api = await doors();
    expect(codesOf(await graphql(api, typename, {}, { origin }))).toEqual(['FORBIDDEN']);
  });

  it('accept a page of their own and of an allowed Origin', async () => {
    const api = await doors({ allowedOrigins: ['https://graph.example'] });
    expect(codesOf(await graphql(api, typename, {}, { origin: 'https://graph.example' }))).toEqual([]);
    const host = new URL(api.url).host;
    expect(codesOf(await graphql(api, typename, {}, { host, origin: `http://${host}` }))).toEqual([]);
  });

  it('ask for the token, except for health', async () => {
    const api = await doors({ token: 'a-long-random-token' });
    expect(codesOf(await graphql(api, typename))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await graphql(api, typename, {}, { authorization: 'Bearer a-long-random-tokem' }))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await graphql(api, typename, {}, { authorization: 'Basic a-long-random-token' }))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await graphql(api, typename, {}, { authorization: 'Bearer a-long-random-token' }))).toEqual([]);
    expect((await ask(api, { path: '/healthz' })).status).toBe(200);
    expect((await ask(api, { path: '/' })).status).toBe(401);
  });

  it.each(['0.0.0.0', '192.168.1.7', '::', 'example.com'])('do not open on %p without a token', async (host) => {
    await expect(openDoors({ host })).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('TRIBUTARY_TOKEN') });
  });

  it('open on every address with a token', async () => {
    const api = await doors({ host: '0.0.0.0', token: 'a-long-random-token' });
    expect(codesOf(await graphql(api, typename, {}, { authorization: 'Bearer a-long-random-token' }))).toEqual([]);
  });

  it('refuse requests that a page can send without asking', async () => {
    const api = await doors();
    const simple = await ask(api, { method: 'GET', path: '/graphql?query=%7B__typename%7D' });
    expect(simple.status).toBe(400);
    const form = await ask(api, { method: 'POST', path: '/graphql', headers: { 'content-type': 'text/plain' }, body: '{"query":"{__typename}"}' });
    expect(form.status).toBeGreaterThanOrEqual(400);
  });

  it('send nobody elsewhere: the first page is plain and says where things are', async () => {
    const answer = await ask(await doors(), { path: '/', headers: { accept: 'text/html' } });
    expect(answer.text).not.toMatch(/https?:|<script/);
    expect(JSON.parse(answer.text)).toMatchObject({ graphql: '/graphql' });
    const page = await ask(await doors(), { path: '/graphql', headers: { accept: 'text/html' } });
    expect(page.text).not.toMatch(/<script|apollographql\.com/);
  });

  it('say which part is not ready', async () => {
    const api = await doors(
      {},
      {
        neo4j: async () => undefined,
        mongodb: async () => {
          throw new PlatformError('DOCUMENTS_UNAVAILABLE', 'MongoDB does not answer.');
        },
        broken: async () => {
          throw new Error('mongodb://user:secret-word@host');
        },
        silent: () => new Promise(() => undefined),
      },
    );
    const answer = await ask(api, { path: '/readyz' });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toEqual({
      ready: false,
      parts: {
        neo4j: { ready: true, problem: null },
        mongodb: { ready: false, problem: 'MongoDB does not answer.' },
        broken: { ready: false, problem: 'It does not answer.' },
        silent: { ready: false, problem: 'No answer within 2 s.' },
      },
    });
  });

  it('close while a client keeps its connection open', async () => {
    const api = await openDoors();
    await ask(api, { path: '/healthz', headers: { connection: 'keep-alive' } });
    const startedAtMs = performance.now();
    await api.stop();
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    await expect(ask(api, { path: '/healthz' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('requests that are too large', () => {
  const stillThere = async (api: RunningApi): Promise<void> => expect(await graphql(api, typename)).toEqual({ data: { __typename: 'Query' } });

  it('of 5 MB get a clear error', async () => {
    const api = await doors();
    const answer = await ask(api, {
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ ${'a '.repeat(2_500_000)}}` }),
    });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text).errors[0]).toMatchObject({ message: expect.stringContaining('1 MiB'), extensions: { code: 'PAYLOAD_TOO_LARGE' } });
    await stillThere(api);
  });

  it('nested 10,000 deep get a clear error, however they nest', async () => {
    const api = await doors();
    for (const query of ['{a'.repeat(10_000) + '}'.repeat(10_000), `{a(b:${'['.repeat(10_000)}`, `{a(b:${'{c:'.repeat(10_000)}`]) {
      expect(await graphql(api, query)).toMatchObject({ errors: [{ message: expect.stringContaining('60 deep'), extensions: { code: 'QUERY_TOO_LARGE' } }] });
    }
    await stillThere(api);
  });

  it('nested by fragments get a clear error', async () => {
    const api = await doors();
    const fragments = Array.from(
      { length: 200 },
      (_, index) => `fragment f${index} on Dataset { producers { edges { node { outputs { ...f${index + 1} } } } } }`,
    );
    const query = `{ dataset(key: {namespace: "a", name: "b"}) { ...f0 } } ${fragments.join(' ')} fragment f200 on Dataset { id }`;
    expect(codesOf(await graphql(api, query))).toEqual(['QUERY_TOO_LARGE']);
    await stillThere(api);
  });

  it('of too many words get a clear error', async () => {
    const api = await doors();
    const answer = await graphql(api, `{ ${Array.from({ length: 20_000 }, (_, index) => `a${index}: __typename`).join(' ')} }`);
    expect(answer.errors?.[0]).toMatchObject({ message: expect.stringContaining('10000 tokens'), extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
    await stillThere(api);
  });

  it('that would answer millions of fields get a clear error with both numbers', async () => {
    const api = await doors();
    const query =
      'query ($n: Int) { datasets(first: 1000) { edges { node { producers(first: $n) { edges { node { runs(first: 1000) { edges { node { id } } } } } } } } } }';
    expect(await graphql(api, query, { n: 1000 })).toMatchObject({
      errors: [{ message: expect.stringContaining('at most 10,000,000'), extensions: { code: 'QUERY_TOO_LARGE' } }],
    });
    await stillThere(api);
  });

  it('are not those that ask for introspection', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const answer = await graphql(await doors(), getIntrospectionQuery());
    expect(answer.errors).toBeUndefined();
  });

  it('sent as a batch are refused', async () => {
    const api = await doors();
    const answer = await ask(api, {
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: '[{"query":"{__typename}"},{"query":"{__typename}"}]',
    });
    expect(answer.status).toBe(400);
    await stillThere(api);
  });
});

describe('malformed requests', () => {
  const post = (api: RunningApi, body: string) => ask(api, { method: 'POST', path: '/graphql', headers: { 'content-type': 'application/json' }, body });

  it.each(['', 'null', '{', '"text"', '{"query": 5}', '{"variables": {}}', '{"query": "{__typename}", "variables": "no"}', '[]', '\u0000'])(
    'get a clear error: %p',
    async (body) => {
      const api = await doors();
      const answer = await post(api, body);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/\w{10}/);
      expect(await graphql(api, typename)).toEqual({ data: { __typename: 'Query' } });
    },
  );

  it('are told what is wrong with the query', async () => {
    const api = await doors();
    expect(await graphql(api, '{ nothing }')).toMatchObject({
      errors: [{ message: 'Cannot query field "nothing" on type "Query".', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect(codesOf(await graphql(api, '{ connections { id '))).toEqual(['GRAPHQL_PARSE_FAILED']);
  });

  it.each([
    ['a literal of the wrong kind', 'mutation { createConnection(name: {password: "secret-word"}, kind: "postgres", config: {}) { id } }', {}],
    [
      'a variable of the wrong kind',
      'mutation ($name: String!) { createConnection(name: $name, kind: "postgres", config: {}) { id } }',
      { name: { password: 'secret-word; secret-word' } },
    ],
    ['an unknown word', 'query { lineage(of: [], direction: SECRET_WORD) { revision } }', {}],
    ['an unknown word in a variable', 'query ($d: Direction!) { lineage(of: [], direction: $d) { revision } }', { d: 'secret-word' }],
    ['a number for a text', 'query ($id: ID!) { run(id: $id) { id } }', { id: { a: 'secret-word' } }],
    ['a text for a number', 'query ($first: Int) { datasets(first: $first) { totalCount } }', { first: 'secret-word' }],
    ['a text where none may be', 'query "secret-word" { a }', {}],
    ['an unknown field of an input', 'query ($key: DatasetKey!) { dataset(key: $key) { id } }', { key: { namespace: 'a', name: 'b', more: 'secret-word' } }],
  ])('are refused without repeating what was sent: %s', async (_case, query, variables) => {
    const api = await doors();
    const answer = await graphql(api, query, variables);
    expect(answer.errors).toHaveLength(1);
    expect(JSON.stringify(answer)).not.toMatch(/secret-word/);
    expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED']).toContain(codesOf(answer)[0]);
    expect(JSON.stringify(api.lines)).not.toMatch(/secret-word/);
  });

  it('hide the reason of what is not the caller’s fault, and log it under the id that is answered', async () => {
    const api = await doors();
    const answer = await graphql(api, '{ connections { id } }');
    expect(answer).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL', retryable: false } }] });
    expect(answer.errors?.[0]?.message).not.toMatch(/undefined|TypeError/);
    expect(api.lines.join('')).toContain(String(answer.errors?.[0]?.extensions['errorId']));
  });
});
