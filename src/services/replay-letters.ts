import { v7 as uuidv7 } from 'uuid';
import type { DeadLetterStore } from '../documents/dead-letters.js';
import type { LetterSelection } from '../documents/letter-replays.js';
import type { Pipeline } from '../model/catalogue.js';
import type { JobRef } from '../model/lineage-query.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import { isFinal, type RunParams, replayTrigger } from '../model/run.js';
import { replayWay } from '../pipeline/replay/replay-way.js';
import { parseSpec } from '../pipeline/spec/parse-spec.js';
import { assertFew } from './dead-letters.js';
import type { PipelineService } from './pipelines.js';
import type { RunService } from './runs.js';
import type { StartedRun } from './start-run.js';

export interface ReplayServiceParts {
  readonly letters: DeadLetterStore;
  readonly pipelines: Pick<PipelineService, 'get'>;
  readonly runs: Pick<RunService, 'start' | 'get' | 'byIds'>;
}

export interface ReplayRequest {
  readonly pipeline: JobRef;
  /** null: all open ones of the pipeline. */
  readonly ids: readonly string[] | null;
}

type Refusal = Extract<StartedRun, { outcome: 'conflict' }>;

const shownIds = 5;
/** Runs whose params are compared. */
const mostRuns = 1_000;

/** Takes refused rows again, from the step that refused them, with the document as it is now. */
export class ReplayService {
  constructor(private readonly parts: ReplayServiceParts) {}

  /**
   * Gives the letters to a new run and queues it. A letter is with at most one run; whatever dies between is found by
   * `settleInterruptedReplays`.
   *
   * @throws PlatformError BAD_USER_INPUT for more than 1,000 ids
   */
  async replay({ pipeline: key, ids }: ReplayRequest): Promise<StartedRun> {
    if (ids !== null) assertFew(ids);
    const pipeline = await this.parts.pipelines.get(key);
    if (pipeline === null) return { outcome: 'notFound', message: `There is no pipeline ${key.namespace}/${key.name}; save it first.` };
    const selection = { pipelineId: pipeline.id, ids: ids === null ? null : [...new Set(ids)] };
    const { spec } = parseSpec(pipeline.spec);
    await this.#releaseUnstarted(selection);
    const chosen = await this.#check(pipeline, spec, selection);
    if ('outcome' in chosen) return chosen;
    return this.#queue(key, selection, chosen.params);
  }

  async #queue(pipeline: JobRef, selection: LetterSelection, params: RunParams | null): Promise<StartedRun> {
    const { replays } = this.parts.letters;
    const id = uuidv7();
    const marked = await replays.mark(selection, id);
    const missing = selection.ids === null ? marked === 0 : marked < selection.ids.length;
    if (missing) {
      await replays.release(id);
      return conflict('Another call has taken some of these dead letters meanwhile. Look at the list and call again.');
    }
    try {
      const started = await this.parts.runs.start({ pipeline, trigger: replayTrigger, params, id });
      if (started.outcome !== 'queued') await replays.release(id);
      return started;
    } catch (error) {
      // Whether the run was queued is not known when the graph did not answer: its letters are released once it is.
      if ((await this.parts.runs.get(id).catch(() => undefined)) === null) await replays.release(id);
      throw error;
    }
  }

  async #check(pipeline: Pipeline, spec: PipelineSpec, selection: LetterSelection): Promise<Refusal | { readonly params: RunParams | null }> {
    const { replays } = this.parts.letters;
    const groups = await replays.groups(selection);
    const found = groups.reduce((sum, { count }) => sum + count, 0);
    if (found === 0 || (selection.ids !== null && found < selection.ids.length)) return this.#nothing(pipeline, selection, found);
    for (const group of groups) {
      const way = replayWay(spec, group);
      if ('problem' in way) return conflict(`${group.count} of these dead letters cannot be replayed. ${way.problem}`);
    }
    const lost = await replays.withoutRow(selection, shownIds + 1);
    if (lost.length > 0) {
      const more = lost.length > shownIds ? ' and others' : '';
      return conflict(`The rows of ${lost.slice(0, shownIds).join(', ')}${more} were too large to be kept. Discard them, or replay the others by their ids.`);
    }
    return Object.keys(spec.params).length === 0 ? { params: null } : this.#paramsOf(spec, selection);
  }

  async #nothing({ namespace, name, id }: Pipeline, { ids }: LetterSelection, found: number): Promise<Refusal> {
    const [run] = await this.parts.letters.replays.runsOf({ pipelineId: id, ids });
    if (run !== undefined) return conflict(`Run ${run} is taking ${ids === null ? 'the' : 'some of these'} dead letters again; wait until it has ended.`);
    if (ids === null) return conflict(`Pipeline ${namespace}/${name} has no open dead letters.`);
    return conflict(`${ids.length - found} of these ${ids.length} dead letters are not open ones of pipeline ${namespace}/${name}; nothing is replayed.`);
  }

  /** Rows are computed with the params of the run that refused them. */
  async #paramsOf(spec: PipelineSpec, selection: LetterSelection): Promise<Refusal | { readonly params: RunParams | null }> {
    const ids = await this.parts.letters.replays.refusingRuns(selection);
    const different = conflict('These dead letters are of runs with different params. Replay those of one run at a time, by their ids.');
    if (ids.length > mostRuns) return different;
    const known = new Map<string, RunParams>();
    const runs = await this.parts.runs.byIds(ids);
    if (runs.length < ids.length) known.set('{}', {});
    for (const run of runs) {
      const given = Object.entries(run.params ?? {}).filter(([param]) => Object.hasOwn(spec.params, param));
      const params = Object.fromEntries(given.sort(([one], [other]) => (one < other ? -1 : 1)));
      known.set(JSON.stringify(params), params);
    }
    if (known.size > 1) return different;
    const [params = {}] = known.values();
    return { params: Object.keys(params).length === 0 ? null : params };
  }

  /** A run that was cancelled before it began has committed nothing. */
  async #releaseUnstarted(selection: LetterSelection): Promise<void> {
    const { replays } = this.parts.letters;
    const runs = await this.parts.runs.byIds(await replays.runsOf(selection));
    const unstarted = runs.filter(({ state, attempt }) => isFinal(state) && attempt === 0);
    if (unstarted.length > 0) await replays.release(...unstarted.map(({ id }) => id));
  }
}

function conflict(message: string): Refusal {
  return { outcome: 'conflict', message };
}
