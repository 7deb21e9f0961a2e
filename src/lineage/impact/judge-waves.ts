import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import { type Cause, type DatasetEffect, type Effects, effectSignature, isOnlyStale, mergeEffects, noEffect } from './effects.js';
import { type Judgement, judgeReader, judgeStale } from './judge-reader.js';
import { datasetNode, type NodeKey } from './nodes.js';
import { orderReaders } from './order-readers.js';
import { jobName, type ReaderCase } from './reader-case.js';

/** A job that can be reached, before its document is looked at. */
export interface Reachable {
  readonly id: string;
  readonly job: { readonly namespace: string; readonly name: string };
  readonly inputs: readonly DatasetRef[];
  readonly outputs: readonly DatasetRef[];
  /** To be judged whatever happens to its inputs. */
  readonly specChanged: boolean;
}

/** What was found out about a job that had to be compiled. */
export type Prepared = { readonly reader: ReaderCase } | { readonly blind: string } | { readonly invalid: ReaderCase };

export interface WavePorts {
  /** Compiles jobs, in the order given, twice each: as it is, and with these effects. */
  prepare(ids: readonly string[], effects: Effects): Promise<readonly Prepared[]>;
}

export interface JudgedWaves {
  /** By job id; only jobs that something affected is read by. */
  readonly judgements: ReadonlyMap<string, Judgement>;
  readonly blind: ReadonlyMap<string, Cause>;
  /** Of the changed documents that do not compile on the end state. */
  readonly invalid: ReadonlyMap<string, ReaderCase>;
  readonly effects: Effects;
}

/**
 * Judges every job that the roots can reach, each behind all that feed it. Jobs that feed one another are judged again until
 * nothing more is found; effects only grow, so that this ends.
 */
export async function judgeWaves(reachable: readonly Reachable[], roots: Effects, ports: WavePorts): Promise<JudgedWaves> {
  const links = reachable.map(({ id, inputs, outputs }) => ({ id, inputs: inputs.map(datasetKey), outputs: outputs.map(datasetKey) }));
  const waves = new Waves(new Map(reachable.map((one) => [one.id, one])), roots, ports);
  for (const { readers, cycles } of orderReaders(links)) {
    const inCycle = new Set(cycles.flatMap((circle) => [...circle]));
    let pending: readonly string[] = readers;
    while (pending.length > 0) {
      await waves.judge(pending);
      pending = [...inCycle].filter((id) => waves.changedSince(id));
    }
  }
  return waves;
}

class Waves implements JudgedWaves {
  readonly judgements = new Map<string, Judgement>();
  readonly blind = new Map<string, Cause>();
  readonly invalid = new Map<string, ReaderCase>();
  readonly effects: Map<string, DatasetEffect>;
  /** What a job was last judged on. */
  readonly #seen = new Map<string, string>();

  constructor(
    private readonly reachable: ReadonlyMap<string, Reachable>,
    roots: Effects,
    private readonly ports: WavePorts,
  ) {
    this.effects = new Map(roots);
  }

  async judge(ids: readonly string[]): Promise<void> {
    const known = ids.map((id) => this.reachable.get(id) as Reachable);
    const compiled: Reachable[] = [];
    for (const one of known) {
      this.#seen.set(one.id, this.#signature(one));
      const effects = this.#effectsOn(one);
      if (one.specChanged || effects.some((effect) => !isOnlyStale(effect))) compiled.push(one);
      else if (effects.length > 0) this.#judgeUncompiled(one);
    }
    if (compiled.length === 0) return;
    const prepared = await this.ports.prepare(
      compiled.map(({ id }) => id),
      this.effects,
    );
    for (const [index, one] of compiled.entries()) this.#take(one, prepared[index] ?? { blind: 'It could not be compiled.' });
  }

  changedSince(id: string): boolean {
    const one = this.reachable.get(id);
    return one !== undefined && this.#seen.get(id) !== this.#signature(one);
  }

  #take(one: Reachable, prepared: Prepared): void {
    if ('blind' in prepared) {
      this.#setBlind(one, prepared.blind);
      return;
    }
    if ('invalid' in prepared) {
      this.invalid.set(one.id, prepared.invalid);
      return;
    }
    this.invalid.delete(one.id);
    this.#keep(one, judgeReader(prepared.reader));
    this.#passUnknown(one);
  }

  #judgeUncompiled(one: Reachable): void {
    const effects = new Map(this.#effectsOn(one).map((effect) => [datasetKey(effect.dataset), effect]));
    const stale = judgeStale({ job: one.job, effects }, one.inputs.map(datasetKey), one.outputs);
    if (stale) this.#keep(one, stale);
    this.#passUnknown(one);
  }

  /** What may be affected by a job that could not be judged is not said to be unaffected. */
  #passUnknown(one: Reachable): void {
    const unknown = this.#effectsOn(one).find((effect) => effect.unknown !== null);
    if (unknown) this.#setBlind(one, `It reads ${unknown.dataset.name}, which is written by a job that could not be judged.`);
  }

  #setBlind(one: Reachable, why: string): void {
    const via = this.#effectsOn(one).flatMap(nodesOf);
    const cause: Cause = { code: 'NOT_USED', reason: `Job ${jobName(one.job)} could not be judged: ${why}`, via };
    this.blind.set(one.id, cause);
    for (const dataset of one.outputs) this.#merge({ ...noEffect(dataset), unknown: cause });
  }

  #keep(one: Reachable, judgement: Judgement): void {
    this.judgements.set(one.id, judgement);
    for (const effect of judgement.outputs.values()) this.#merge(effect);
  }

  #merge(effect: DatasetEffect): void {
    const key = datasetKey(effect.dataset);
    const known = this.effects.get(key);
    this.effects.set(key, known ? mergeEffects(known, effect) : effect);
  }

  #effectsOn({ inputs, outputs }: Reachable): DatasetEffect[] {
    const read = inputs.flatMap((dataset) => this.effects.get(datasetKey(dataset)) ?? []);
    // What another job does to a table does not stop this one from writing it; what is done to its schema may.
    const written = outputs.flatMap((dataset) => {
      const effect = this.effects.get(datasetKey(dataset));
      return effect?.isRoot === true ? [effect] : [];
    });
    return [...new Set([...read, ...written])];
  }

  #signature(one: Reachable): string {
    return this.#effectsOn(one).map(effectSignature).join('\n');
  }
}

function nodesOf({ dataset }: DatasetEffect): NodeKey[] {
  return [datasetNode(dataset)];
}
