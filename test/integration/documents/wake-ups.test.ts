import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type Connection } from 'mongoose';
import { SocketWakeUps } from '../../../src/documents/socket-wake-ups.js';
import { type WakeListener, WakeListeners } from '../../../src/documents/wake-listeners.js';
import { eventually } from '../../support/eventually.js';
import { keptLog } from '../../unit/worker/scripted-run.js';
import { documentsUri } from './documents-uri.js';

let connection: Connection;
let listeners: WakeListeners;
const open: SocketWakeUps[] = [];

beforeAll(async () => {
  connection = await mongoose.createConnection(documentsUri()).asPromise();
  listeners = new WakeListeners(connection);
  await listeners.prepare();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((wakeUps) => wakeUps.close()));
  expect(await listeners.alive(hostname())).toEqual([]);
});
afterAll(() => connection?.close());

function make(host?: string): SocketWakeUps {
  const wakeUps = new SocketWakeUps(listeners, keptLog().logger, host);
  open.push(wakeUps);
  return wakeUps;
}

async function listening(host?: string): Promise<{ readonly wakeUps: SocketWakeUps; readonly woken: () => number }> {
  let woken = 0;
  const wakeUps = make(host);
  await wakeUps.listen(() => {
    woken += 1;
  });
  return { wakeUps, woken: () => woken };
}

async function theOnly(): Promise<WakeListener> {
  const [listener] = await listeners.alive(hostname());
  if (listener === undefined) throw new Error('Nobody listens.');
  return listener;
}

describe('wake-ups over loopback', () => {
  it('reach every listener of the machine, also the announcing one, and no other machine', async () => {
    const [one, other, away] = [await listening(), await listening(), await listening('elsewhere')];
    const sender = make();
    sender.announce(7);
    await eventually('both are woken', async () => one.woken() > 0 && other.woken() > 0);
    const before = other.woken();
    one.wakeUps.announce(8);
    expect(one.woken()).toBeGreaterThan(1);
    await eventually('the other is woken again', async () => other.woken() > before);
    expect(away.woken()).toBe(0);
    await listeners.alive('elsewhere');
  });

  it('reach a listener that comes later, and go on when one has died without a word', async () => {
    const sender = make();
    sender.announce(1);
    await listeners.register({ _id: 'dead', host: hostname(), port: 1, token: 'x' });
    const late = await listening();
    let position = 1;
    await eventually('the late one is woken', async () => {
      position += 1;
      sender.announce(position);
      return late.woken() > 0;
    });
    await listeners.remove('dead');
  });

  it('forget listeners that have not been heard of for long', async () => {
    await listeners.register({ _id: 'old', host: hostname(), port: 1, token: 'x' });
    await connection.collection('wakeListeners').updateOne({ _id: 'old' as never }, { $set: { seenAt: new Date(Date.now() - 60_000) } });
    expect(await listeners.alive(hostname())).toEqual([]);
    expect(await connection.collection('wakeListeners').countDocuments({ host: hostname() })).toBe(0);
  });

  it.each([
    ['no token', () => '5\n'],
    ['another token', () => 'wrong\n5\n'],
    ['something that is no position', (token: string) => `${token}\nhello\n`],
    ['a line without end', (token: string) => `${token}\n${'1'.repeat(100)}`],
    ['a token without end', () => 'x'.repeat(100)],
  ])('are not taken from who sends %s', async (_case, text) => {
    const listener = await listening();
    const { port, token } = await theOnly();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(text(token));
    await once(socket, 'close');
    expect(listener.woken()).toBe(0);
  });

  it('are taken from who knows the token', async () => {
    const listener = await listening();
    const { port, token } = await theOnly();
    const socket = connect(port, '127.0.0.1');
    socket.write(token.slice(0, 10));
    socket.write(`${token.slice(10)}\n12`);
    await eventually('it is introduced', async () => socket.bytesWritten > token.length);
    expect(listener.woken()).toBe(0);
    socket.write('3\n');
    await eventually('it is woken', async () => listener.woken() > 0);
    socket.destroy();
  });
});
