import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { eventually } from '../../support/eventually.js';
import { codesOfEnd, type Subscriber, subscribe } from '../../support/feed-client.js';
import { openDoors } from './open-api.js';

type Doors = Awaited<ReturnType<typeof openDoors>>;

const open: Doors[] = [];
const subscribers: Subscriber[] = [];
async function doors(...settings: Parameters<typeof openDoors>): Promise<Doors> {
  const api = await openDoors(...settings);
  open.push(api);
  return api;
}
function watch(...[api, ...options]: [Doors, ...(Parameters<typeof subscribe> extends [string, ...infer Rest] ? Rest : never)]): Subscriber {
  const subscriber = subscribe(api.url, ...options);
  subscribers.push(subscriber);
  return subscriber;
}
afterEach(async () => {
  await Promise.all(subscribers.splice(0).map((subscriber) => subscriber.close()));
  await Promise.all(open.splice(0).map((api) => api.stop()));
});

/** An answer to an operation means that it was let in: this one is refused for what it asks. */
const query = '{ __typename }';
const letIn = ['BAD_REQUEST'];

/** Status and code of an upgrade that is refused. */
async function refused(api: Doors, headers: Readonly<Record<string, string>>, path = '/graphql'): Promise<[number | undefined, unknown]> {
  const socket = new WebSocket(`ws://127.0.0.1:${new URL(api.url).port}${path}`, 'graphql-transport-ws', { headers: { ...headers } });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return [response.statusCode, JSON.parse(text).errors[0].extensions.code];
}

function socketOf(api: Doors, protocol = 'graphql-transport-ws'): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${new URL(api.url).port}/graphql`, protocol);
}

describe('a WebSocket', () => {
  it('is opened on loopback without a token', async () => {
    expect(codesOfEnd(await watch(await doors(), {}, { query }).ended())).toEqual(letIn);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:4000'])('to the Host %p is refused', async (host) => {
    expect(await refused(await doors(), { host })).toEqual([403, 'FORBIDDEN']);
  });

  it.each(['https://evil.example', 'null', 'http://localhost:1'])('from a page of Origin %p is refused', async (origin) => {
    expect(await refused(await doors(), { origin })).toEqual([403, 'FORBIDDEN']);
  });

  it('is opened for an allowed Host and Origin', async () => {
    const api = await doors({ allowedHosts: ['tributary.internal'], allowedOrigins: ['https://intel.example'] });
    const headers = { host: 'tributary.internal', origin: 'https://intel.example' };
    expect(codesOfEnd(await watch(api, {}, { query, headers }).ended())).toEqual(letIn);
  });

  it('anywhere but at /graphql is refused', async () => {
    expect(await refused(await doors(), {}, '/other')).toEqual([404, 'BAD_REQUEST']);
  });

  it.each([
    ['in the first message', { params: { authorization: 'Bearer right' } }],
    ['in a header', { headers: { authorization: 'Bearer right' } }],
  ])('with the token %s is let in', async (_case, options) => {
    const api = await doors({ token: 'right' });
    expect(codesOfEnd(await watch(api, {}, { query, ...options }).ended())).toEqual(letIn);
  });

  it.each([
    ['no token', {}],
    ['another token', { params: { authorization: 'Bearer wrong' } }],
    ['a token that is none', { params: { authorization: ['Bearer right'] } }],
    ['the right header and another first message', { headers: { authorization: 'Bearer right' }, params: { authorization: 'Bearer wrong' } }],
  ])('with %s is closed', async (_case, options) => {
    const api = await doors({ token: 'right' });
    expect(await watch(api, {}, { query, ...options }).ended()).toMatchObject({ code: 4401, reason: expect.stringContaining('token') });
  });

  it('that asks before it has introduced itself is closed', async () => {
    const socket = socketOf(await doors({ token: 'right' }));
    await once(socket, 'open');
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { runUpdated { seq } }' } }));
    expect((await once(socket, 'close'))[0]).toBe(4401);
  });

  it('that never introduces itself is closed', async () => {
    const socket = socketOf(await doors());
    expect((await once(socket, 'close'))[0]).toBe(4408);
  });

  it('of another protocol is closed', async () => {
    const socket = socketOf(await doors(), 'graphql-ws');
    expect(await once(socket, 'error')).toMatchObject([{ message: 'Server sent no subprotocol' }]);
  });

  it('that sends more than 1 MiB at once is closed, and only it', async () => {
    const api = await doors();
    const socket = socketOf(api);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send('x'.repeat(1024 * 1024 + 1));
    expect((await once(socket, 'close'))[0]).toBe(1009);
    expect(codesOfEnd(await watch(api, {}, { query }).ended())).toEqual(letIn);
  });

  it.each(['text', '{"type":"nothing"}', '{"type":"subscribe"}'])('that sends %p is closed', async (text) => {
    const socket = socketOf(await doors());
    await once(socket, 'open');
    socket.send(text);
    expect((await once(socket, 'close'))[0]).toBe(4400);
  });

  it('is told when the server goes, and cut when it does not hang up', async () => {
    const api = await openDoors();
    const socket = socketOf(api);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const deaf = connect(Number(new URL(api.url).port), '127.0.0.1');
    deaf.write(
      'GET /graphql HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    );
    deaf.resume();
    await once(deaf, 'data');
    const beganAtMs = performance.now();
    await api.stop();
    expect(performance.now() - beganAtMs).toBeLessThan(3_000);
    expect((await closed)[0]).toBe(1001);
    await eventually('the deaf one is cut', async () => deaf.destroyed);
  });
});

describe('one connection', () => {
  it('has at most 100 subscriptions', async () => {
    // They wait for ever: nothing is there that could answer them.
    const runEvents = { subscribe: () => new Promise(() => undefined) };
    const api = await doors({}, {}, { runEvents });
    const socket = socketOf(api);
    await once(socket, 'open');
    const answers: { type: string; id?: string; payload?: { extensions: { code: string } }[] }[] = [];
    socket.on('message', (message) => answers.push(JSON.parse(String(message))));
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await eventually('the introduction is answered', async () => answers.length === 1);
    for (let id = 1; id <= 101; id += 1) {
      socket.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: 'subscription { runUpdated { seq } }' } }));
    }
    await eventually('one is refused', async () => answers.length === 2);
    expect(answers[1]).toMatchObject({ type: 'error', id: '101', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] });
    socket.terminate();
  });
});
