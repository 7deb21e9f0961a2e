import type { OutputPlace } from '../model/dead-letter.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { ReplayPart } from '../model/run-process.js';

/** An output that a run fills. */
export interface RunOutput extends OutputPlace {
  /** Place in the document, from 0. */
  readonly index: number;
}

/** All outputs of a document; of a replay those that its rows are on their way to. */
export function outputsOfRun(spec: PipelineSpec, replay: readonly ReplayPart[] | null): RunOutput[] {
  const reached = replay === null ? null : new Set(replay.map(({ output }) => output));
  return spec.outputs.flatMap(({ connection, stream }, index) => (reached === null || reached.has(index) ? [{ connection, stream, index }] : []));
}
