/**
 * Stands for a run's process: does what the pipeline's name says. Speaks the protocol of src/model/run-process.ts.
 * @typedef {import('../../../src/model/run-process.js').FromRunProcess} FromRunProcess
 * @typedef {import('../../../src/model/run-process.js').ToRunProcess} ToRunProcess
 */
const compiled = { inputs: [], steps: [], outputs: [] };
/** @type {import('../../../src/model/errors.js').ErrorRecord} */
const cancelled = { code: 'RUN_CANCELLED', message: 'The process stopped as it was asked.', retryable: false, step: null };
/** @type {import('../../../src/model/run-log.js').RunPlace} */
const place = { stage: 'reading', step: null, rowsExpected: null };
/** @type {import('../../../src/model/dead-letter.js').RejectedRow} */
const letter = { id: 'letter-1', loadId: 'load', stage: 'transform', step: 'typed', code: 'CAST', message: 'not a number', row: { amount: 'x' } };

/** @param {number} rowsRead */
const metrics = (rowsRead) => ({ rowsRead, rowsWritten: 0, rowsRejected: 0, bytesRead: 0, bytesWritten: 0 });
/** @param {FromRunProcess} message */
const say = (message) => void process.send?.(message);
/** @param {FromRunProcess} message */
const finish = (message) => void process.send?.(message, () => process.exit(0));
/** @param {string} message */
const fail = (message) => finish({ type: 'failed', error: { code: 'SOURCE_FAILED', message, retryable: true, step: 'read' }, metrics: metrics(7), steps: [] });
/** @type {FromRunProcess} */
const doneMessage = { type: 'done', summary: { metrics: metrics(3), steps: [], outputs: [] } };
const bind = () => say({ type: 'bound', compiled });

/** @type {Record<string, () => void>} */
const scripts = {
  commits: () => {
    bind();
    say({ type: 'rejected', batch: 1, rows: [letter] });
  },
  stops: () => {
    bind();
    say({ type: 'progress', metrics: metrics(5), steps: [], place });
  },
  progresses: () => {
    bind();
    let rows = 0;
    setInterval(() => {
      rows += 1;
      if (rows <= 60) say({ type: 'progress', metrics: metrics(rows), steps: [], place });
      else finish(doneMessage);
    }, 10);
  },
  loopsForEver: () => {
    bind();
    setTimeout(loop, 50);
  },
  fillsMemory: () => {
    /** @type {Buffer[]} */
    const kept = [];
    setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20);
  },
  exits: () => process.exit(3),
  crashes: () => {
    process.stderr.write('connecting to secret-word failed\n');
    process.kill(process.pid, 'SIGSEGV');
  },
  fails: () => fail('The source went away.'),
  lingers: () => {
    bind();
    say(doneMessage);
    setInterval(() => undefined, 1000);
  },
  showsEnvironment: () => fail(JSON.stringify({ env: process.env, execArgv: process.execArgv })),
  doneInSpiteOfCancel: bind,
};
let scenario = '';

function loop() {
  for (;;);
}

/** @param {string} name */
function compile(name) {
  if (name === 'compiles') finish({ type: 'compiled', result: { compiled } });
  if (name === 'isInvalid') finish({ type: 'compiled', result: { issues: [{ path: 'steps[0]', message: 'no' }], code: 'INVALID_SPEC' } });
  if (name === 'exits') process.exit(9);
  if (name === 'loopsForEver') loop();
}

/** @param {ToRunProcess} message */
function receive(message) {
  if (message.type === 'compile') compile(message.request.spec.name);
  if (message.type === 'run') {
    scenario = message.request.spec.name;
    scripts[scenario]?.();
  }
  if (message.type === 'stored') finish(message.error === null ? doneMessage : { type: 'failed', error: message.error, metrics: metrics(1), steps: [] });
  if (message.type === 'cancel')
    finish(scenario === 'doneInSpiteOfCancel' ? doneMessage : { type: 'failed', error: cancelled, metrics: metrics(6), steps: [] });
}

process.on('disconnect', () => process.exit(1));
process.on('message', (message) => receive(/** @type {ToRunProcess} */ (message)));
say({ type: 'ready' });
