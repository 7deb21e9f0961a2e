// @ts-check
// Stands in for mongod where there is none: it checks the options it is given, says its version, keeps its replica set's configuration
// and answers the few commands that starting a replica set takes. It stores no documents. Written from the MongoDB manual:
//   program/mongod (options, --version), mongodb-wire-protocol (OP_MSG, OP_QUERY for the first hello), command/hello,
//   command/replSetInitiate, command/ping; https://www.mongodb.com/docs/manual/reference/
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BSON } from 'mongodb';

const electionMs = 200;
const opReply = 1;
const opQuery = 2004;
const opMessage = 2013;

const version = process.env['MONGOD_DOUBLE_VERSION'] ?? '8.0.4';
if (process.argv.includes('--version')) {
  process.stdout.write(`db version v${version}\nBuild Info: {\n    "version": "${version}"\n}\n`);
  process.exit(0);
}

const text = /** @type {const} */ ({ type: 'string' });
const flag = /** @type {const} */ ({ type: 'boolean' });
const { values } = parseArgs({
  // mongod refuses options that it does not know, and so does this.
  options: {
    dbpath: text,
    port: text,
    bind_ip: text,
    nounixsocket: flag,
    replSet: text,
    oplogSize: text,
    wiredTigerCacheSizeGB: text,
    quiet: flag,
    setParameter: { ...text, multiple: true },
  },
});
const { dbpath = '/data/db', port = '27017', bind_ip: host = '127.0.0.1', replSet = '' } = values;
if (!existsSync(dbpath)) fail(`Data directory ${dbpath} not found.`);
if (replSet === '') fail('this double only is a member of a replica set');
if (Number(values.wiredTigerCacheSizeGB ?? '1') < 0.25) fail('wiredTigerCacheSizeGB must be at least 0.25');
for (const each of values.setParameter ?? []) if (!/^shutdownTimeoutMillisForSignaledShutdown=\d+$/.test(each)) fail(`Unknown --setParameter '${each}'`);

const configFile = join(dbpath, 'replica-set.json');
mkdirSync(dbpath, { recursive: true });
/** @type {{ _id: string, members: { host: string }[] } | null} */
let config = existsSync(configFile) ? JSON.parse(readFileSync(configFile, 'utf8')) : null;
let primaryAt = Date.now() + electionMs;

createServer((socket) => {
  let waiting = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= 4 && waiting.length >= waiting.readInt32LE(0)) {
      const length = waiting.readInt32LE(0);
      socket.write(answerTo(waiting.subarray(0, length)));
      waiting = waiting.subarray(length);
    }
  });
}).listen(Number(port), host);

process.on('SIGTERM', () => {
  appendFileSync(join(dbpath, 'events.log'), 'stopped by SIGTERM\n');
  process.exit(0);
});

/** @param {Buffer} message */
function answerTo(message) {
  const request = message.readInt32LE(4);
  if (message.readInt32LE(12) === opQuery) {
    const name = message.indexOf(0, 20);
    const reply = BSON.serialize(run(BSON.deserialize(message.subarray(name + 1 + 8))));
    const head = Buffer.alloc(20);
    head.writeInt32LE(8, 0);
    head.writeInt32LE(1, 16);
    return framed(request, opReply, Buffer.concat([head, reply]));
  }
  if (message.readInt32LE(12) !== opMessage) fail(`unknown operation ${message.readInt32LE(12)}`);
  return framed(request, opMessage, Buffer.concat([Buffer.alloc(5), BSON.serialize(run(BSON.deserialize(message.subarray(21))))]));
}

/**
 * @param {number} request
 * @param {number} operation
 * @param {Buffer} body
 */
function framed(request, operation, body) {
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + body.length, 0);
  header.writeInt32LE(request, 8);
  header.writeInt32LE(operation, 12);
  return Buffer.concat([header, body]);
}

/** @param {Record<string, any>} command */
function run(command) {
  const [name = ''] = Object.keys(command);
  if (['hello', 'ismaster', 'isMaster'].includes(name)) return hello();
  if (['ping', 'endSessions'].includes(name)) return { ok: 1 };
  if (name === 'replSetInitiate') return initiate(command['replSetInitiate']);
  return { ok: 0, errmsg: `no such command: '${name}'`, code: 59, codeName: 'CommandNotFound' };
}

function hello() {
  const limits = { maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000, minWireVersion: 0, maxWireVersion: 25 };
  const common = { ...limits, helloOk: true, logicalSessionTimeoutMinutes: 30, localTime: new Date(), readOnly: false, ok: 1 };
  if (config === null) {
    return { ...common, isWritablePrimary: false, ismaster: false, secondary: false, isreplicaset: true, info: 'Does not have a valid replica set config' };
  }
  const me = `${host}:${port}`;
  const primary = Date.now() >= primaryAt;
  const set = { setName: config._id, setVersion: 1, hosts: config.members.map((member) => member.host), me, ...(primary ? { primary: me } : {}) };
  return { ...common, ...set, isWritablePrimary: primary, ismaster: primary, secondary: !primary };
}

/** @param {{ _id: string, members: { host: string }[] }} wanted */
function initiate(wanted) {
  if (config !== null) return { ok: 0, errmsg: 'already initialized', code: 23, codeName: 'AlreadyInitialized' };
  const [member] = wanted.members;
  if (wanted._id !== replSet || wanted.members.length !== 1 || member?.host !== `${host}:${port}`) {
    return { ok: 0, errmsg: 'No host described in new configuration maps to this node', code: 93, codeName: 'InvalidReplicaSetConfig' };
  }
  config = wanted;
  primaryAt = Date.now() + electionMs;
  writeFileSync(configFile, JSON.stringify(config));
  appendFileSync(join(dbpath, 'events.log'), 'initiated\n');
  return { ok: 1 };
}

/**
 * @param {string} problem
 * @returns {never}
 */
function fail(problem) {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}
