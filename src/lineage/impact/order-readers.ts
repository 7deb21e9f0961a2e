import { cycles } from '../cycles.js';

/** A job with the datasets that it reads and writes, by key. */
export interface ReaderLinks {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Jobs to judge together: all that lies before them has been judged. */
export interface Layer {
  readonly readers: readonly string[];
  /** Sets of jobs among them that feed one another, to be judged until nothing changes. */
  readonly cycles: readonly ReadonlySet<string>[];
}

/** Jobs in an order in which each stands behind all that feed it; jobs that feed one another stand in one layer. */
export function orderReaders(readers: readonly ReaderLinks[]): Layer[] {
  const after = followers(readers);
  const circles = cycles(pairsOf(after)).map((members) => new Set(members));
  const group = new Map(readers.map(({ id }) => [id, id]));
  for (const circle of circles) for (const id of circle) group.set(id, [...circle][0] ?? id);
  const waits = new Map([...new Set(group.values())].map((id) => [id, new Set<string>()]));
  for (const [from, to] of pairsOf(after)) {
    const [a = from, b = to] = [group.get(from), group.get(to)];
    if (a !== b) waits.get(b)?.add(a);
  }
  const members = new Map<string, string[]>();
  for (const [id, leader] of group) members.set(leader, [...(members.get(leader) ?? []), id]);
  return layersOf(waits, members, circles);
}

function layersOf(
  waits: ReadonlyMap<string, ReadonlySet<string>>,
  members: ReadonlyMap<string, readonly string[]>,
  circles: readonly ReadonlySet<string>[],
): Layer[] {
  const layers: Layer[] = [];
  const left = new Map([...waits].map(([id, before]) => [id, before.size]));
  const opens = new Map<string, string[]>();
  for (const [id, before] of waits) for (const one of before) opens.set(one, [...(opens.get(one) ?? []), id]);
  let ready = [...left].filter(([, count]) => count === 0).map(([id]) => id);
  while (ready.length > 0) {
    const readers = ready.flatMap((id) => members.get(id) ?? []);
    const inLayer = new Set(readers);
    layers.push({ readers, cycles: circles.filter((circle) => [...circle].some((id) => inLayer.has(id))) });
    const next: string[] = [];
    for (const id of ready.flatMap((done) => opens.get(done) ?? [])) {
      const count = (left.get(id) ?? 0) - 1;
      left.set(id, count);
      if (count === 0) next.push(id);
    }
    ready = next;
  }
  return layers;
}

function followers(readers: readonly ReaderLinks[]): Map<string, Set<string>> {
  const readersOf = new Map<string, string[]>();
  for (const { id, inputs } of readers) {
    for (const input of new Set(inputs)) {
      const known = readersOf.get(input);
      if (known === undefined) readersOf.set(input, [id]);
      else known.push(id);
    }
  }
  return new Map(readers.map(({ id, outputs }) => [id, new Set(outputs.flatMap((output) => readersOf.get(output) ?? []))]));
}

function* pairsOf(after: ReadonlyMap<string, ReadonlySet<string>>): Generator<readonly [string, string]> {
  for (const [from, targets] of after) for (const to of targets) yield [from, to];
}
