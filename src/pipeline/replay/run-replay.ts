import { sha256 } from '../../lib/sha256.js';
import type { Segment } from '../../model/segment.js';
import type { Pass } from '../execute/pass.js';
import type { OutputLoad } from '../load/output-load.js';
import type { StoreRejected } from '../rejected-rows.js';
import type { ReplayPass } from './plan-replay.js';

export interface Replay {
  readonly passes: readonly ReplayPass[];
  /** By place in the document; those that are committed already are left alone. */
  readonly outputs: ReadonlyMap<number, OutputLoad>;
  readonly store: StoreRejected;
  /** The segments of an input of the pipeline, every row. */
  read(alias: string): AsyncIterable<Segment>;
  /** Runs one pass. */
  execute(pass: Pick<Pass, 'compiled' | 'outputs' | 'store' | 'limits' | 'read'>): Promise<void>;
}

/**
 * Takes refused rows to their outputs: at its end they are staged, or stored as refused again. The state of the inputs stays as
 * it is, and the rows count against no budget, since they are known to be odd.
 */
export async function runReplay(replay: Replay): Promise<void> {
  for (const [index, output] of replay.outputs) {
    if (output.committed) continue;
    await output.open(output.compiled.inputs.map((input) => ({ input, expectedVersion: null, state: null })));
    for (const [place, pass] of replay.passes.entries()) if (pass.output === index) await runOne(replay, pass, place, output);
    await output.storeRefused(replay.store);
  }
}

async function runOne(replay: Replay, pass: ReplayPass, place: number, output: OutputLoad): Promise<void> {
  const [compiled = output.compiled] = pass.compiled.outputs;
  const partly = {
    compiled,
    identity: output.identity,
    unnumbered: output.unnumbered,
    stage: (segment: Segment) => output.stage(segment),
    stageErased: (segment: Segment) => output.stageErased(segment),
    // Opened before the first pass, and asked for what it refuses behind the last.
    open: async () => undefined,
    storeRefused: async () => 0,
  };
  await replay.execute({
    compiled: pass.compiled,
    outputs: [partly],
    // Equal rows of two passes are two letters.
    store: (rows) => replay.store(rows.map((row) => ({ ...row, id: sha256(`${place} ${row.id}`) }))),
    limits: { rejectedRows: null, rejectedRatio: null },
    read: (alias) => (alias === pass.letters ? inOrder(pass.segments) : replay.read(alias)),
  });
}

async function* inOrder(segments: readonly Segment[]): AsyncGenerator<Segment> {
  yield* segments;
}
