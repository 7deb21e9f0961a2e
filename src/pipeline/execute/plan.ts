import type { CompiledPipeline, CompiledStep } from '../../model/compiled-pipeline.js';

/** One side of a blocking step, which collects its rows. */
export interface ExchangeSide {
  readonly step: CompiledStep;
  readonly side: number;
  readonly relation: string;
}

/** What the batches of one producer go through, and which blocking steps they end in. */
export interface Route {
  /** Row by row, and joins that stream; in the pipeline's order. */
  readonly steps: readonly CompiledStep[];
  readonly exchanges: readonly ExchangeSide[];
}

/**
 * The order of one pass. Producers are inputs and blocking steps: each gives batches of rows. Of a join that can stream, what feeds
 * the right side stands before what feeds the left one, wherever that is possible.
 */
export class PassPlan {
  /** On the way to a wanted relation, in the pipeline's order. */
  readonly steps: readonly CompiledStep[];
  /** Each behind everything it needs. */
  readonly producers: readonly string[];
  /** Joins whose whole right side is there before the first row of the left one. */
  readonly streamable: ReadonlySet<string>;
  private readonly byId: ReadonlyMap<string, CompiledStep>;
  private readonly feeding = new Map<string, ReadonlySet<string>>();

  constructor({ steps }: Pick<CompiledPipeline, 'steps'>, wanted: readonly string[]) {
    this.byId = new Map(steps.map((step) => [step.id, step]));
    const way = new Set(wanted.flatMap((relation) => [...this.wayTo(relation)]));
    this.steps = steps.filter(({ id }) => way.has(id));
    const needs = this.hardNeeds(way);
    this.streamable = this.addSoftNeeds(needs);
    this.producers = inOrder(
      wanted.flatMap((relation) => [...this.feeders(relation)]),
      needs,
    );
  }

  /** The relation and everything it is made of. */
  wayTo(relation: string): ReadonlySet<string> {
    const way = new Set([relation]);
    for (const reached of way) for (const source of this.byId.get(reached)?.from ?? []) way.add(source);
    return way;
  }

  step(id: string): CompiledStep | undefined {
    return this.byId.get(id);
  }

  /** Producers whose batches may become rows of this relation. A join that may stream hands the batches of its left side on. */
  feeders(relation: string): ReadonlySet<string> {
    const known = this.feeding.get(relation);
    if (known) return known;
    const step = this.byId.get(relation);
    const sources = !step || step.blocking ? [] : step.from;
    const found = new Set(sources.flatMap((source) => [...this.feeders(source)]));
    if (!step || step.blocking) found.add(relation);
    if (step?.blocking?.streamsLeft) for (const feeder of this.feeders(step.from[0] ?? '')) found.add(feeder);
    this.feeding.set(relation, found);
    return found;
  }

  route(producer: string, streaming: ReadonlySet<string>): Route {
    const present = new Set([producer]);
    const flows = ({ id, from, blocking }: CompiledStep): boolean =>
      blocking ? streaming.has(id) && present.has(from[0] ?? '') : from.some((source) => present.has(source));
    const steps = this.steps.filter((step) => flows(step) && present.add(step.id));
    const collecting = this.steps.filter(({ id, blocking }) => blocking && !streaming.has(id));
    const sides = collecting.flatMap((step) => step.from.map((relation, side) => ({ step, side, relation })));
    return { steps, exchanges: sides.filter(({ relation }) => present.has(relation)) };
  }

  /** What each producer cannot do without; the right side first. */
  private hardNeeds(way: ReadonlySet<string>): Map<string, Set<string>> {
    const producers = [...way].filter((relation) => this.byId.get(relation)?.blocking !== null);
    return new Map(
      producers.map((producer) => [producer, new Set([...(this.byId.get(producer)?.from ?? [])].reverse().flatMap((source) => [...this.feeders(source)]))]),
    );
  }

  /** Adds, join by join, that the left side waits for the right one, unless that would be a circle. */
  private addSoftNeeds(needs: Map<string, Set<string>>): Set<string> {
    const streamable = new Set<string>();
    for (const { id, from, blocking } of this.steps) {
      const [left = '', right = ''] = from;
      if (!blocking?.streamsLeft || from.length !== 2) continue;
      const lefts = this.feeders(left);
      const rights = this.feeders(right);
      if ([...reachable(rights, needs)].some((producer) => lefts.has(producer))) continue;
      for (const producer of lefts) needs.set(producer, new Set([...rights, ...(needs.get(producer) ?? [])]));
      streamable.add(id);
    }
    return streamable;
  }
}

function reachable(starts: ReadonlySet<string>, needs: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set(starts);
  for (const producer of reached) for (const needed of needs.get(producer) ?? []) reached.add(needed);
  return reached;
}

function inOrder(roots: readonly string[], needs: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const ordered = new Set<string>();
  const visit = (producer: string): void => {
    if (ordered.has(producer)) return;
    for (const needed of needs.get(producer) ?? []) visit(needed);
    ordered.add(producer);
  };
  for (const root of roots) visit(root);
  return [...ordered];
}
