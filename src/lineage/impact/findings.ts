import { sha256 } from '../../lib/sha256.js';
import { type BlindSpot, type ImpactFinding, type ImpactNode, type ImpactReport, type Severity, severities, worst } from '../../model/impact.js';
import type { Truncation } from '../../model/lineage-query.js';
import type { Cause, DatasetEffect } from './effects.js';
import type { JudgedWaves, Reachable } from './judge-waves.js';
import { columnNode, datasetNode, jobNode, type NodeKey } from './nodes.js';

/** What the graph knows of a node. */
export interface KnownNode extends ImpactNode {
  readonly owners: readonly string[];
  readonly tags: readonly string[];
}

export interface FindingParts {
  readonly reachable: readonly Reachable[];
  readonly judged: JudgedWaves;
  /** What is changed: the node, and as what it is shown. */
  readonly starts: ReadonlyMap<NodeKey, NodeKey>;
  readonly describe: (key: NodeKey) => KnownNode;
  /** null: no bound. */
  readonly maxDepth: number | null;
  readonly revision: string;
  /** Said already while the graph was read. */
  readonly truncated: readonly Truncation[];
}

interface Verdict extends Omit<Cause, 'via'> {
  readonly severity: Severity;
}

/** How a node was reached first. */
interface Reached {
  readonly depth: number;
  readonly path: readonly NodeKey[];
}

/** A step of the spread: from a node to a job, or through it to what it writes. */
interface Link {
  readonly to: NodeKey;
  /** The job on the way; null: `to` is the job, or what a changed job itself writes. */
  readonly through: NodeKey | null;
}

export function reportOf(parts: FindingParts): ImpactReport {
  const { judged, describe, starts, maxDepth } = parts;
  const verdicts = verdictsOf(parts);
  const reached = shortestPaths(linksOf(parts), starts, new Set(parts.reachable.map(({ job }) => jobNode(job))));
  const found = [...verdicts].flatMap(([key, verdict]): ImpactFinding[] => {
    const way = reached.get(key);
    if (starts.has(key) || way === undefined) return [];
    const { owners, tags, ...node } = describe(key);
    return [{ ...node, ...verdict, depth: way.depth, path: way.path.map((one) => plain(describe(one))), owners, tags }];
  });
  const within = found.filter(({ depth }) => maxDepth === null || depth <= maxDepth);
  const blindSpots = [...judged.blind].flatMap(([id, { reason }]): BlindSpot[] => {
    if (judged.judgements.get(id)?.severity === 'BREAKS') return [];
    const one = parts.reachable.find((job) => job.id === id);
    return one === undefined ? [] : [{ ...plain(describe(jobNode(one.job))), reason }];
  });
  const findings = within.sort(byWorst);
  const truncated = new Set<Truncation>(parts.truncated);
  if (within.length < found.length) truncated.add('MAX_DEPTH');
  return {
    revision: parts.revision,
    verdict: worst(findings.map(({ severity }) => severity)),
    findings,
    blindSpots: blindSpots.sort((a, b) => (a.key < b.key ? -1 : 1)),
    truncated: [...truncated].sort(),
    findingsHash: findingsHash(findings, blindSpots),
  };
}

export function findingsHash(findings: readonly ImpactFinding[], blindSpots: readonly BlindSpot[]): string {
  const lines = [
    ...findings.map(({ kind, key, severity, code }) => JSON.stringify([kind, key, severity, code])),
    ...blindSpots.map(({ kind, key }) => JSON.stringify([kind, key, 'BLIND'])),
  ];
  return sha256(lines.sort().join('\n'));
}

function verdictsOf({ reachable, judged }: FindingParts): Map<NodeKey, Verdict> {
  const verdicts = new Map<NodeKey, Verdict>();
  for (const { id, job, specChanged } of reachable) {
    const judgement = judged.judgements.get(id);
    if (judgement === undefined) continue;
    // What is known of a job that reads something unknown too is the least that happens to it.
    if (judged.blind.has(id) && judgement.severity === 'NONE') continue;
    if (specChanged && judgement.severity === 'NONE') continue;
    verdicts.set(jobNode(job), { severity: judgement.severity, code: judgement.code, reason: judgement.reason });
  }
  for (const effect of judged.effects.values()) {
    const whole = wholeVerdict(effect);
    if (whole) verdicts.set(datasetNode(effect.dataset), whole);
    for (const [name, { code, reason }] of effect.columns) {
      const text = `Column "${name}" of ${effect.dataset.name} ${reason}.`;
      verdicts.set(columnNode(effect.dataset, name), { severity: 'CHANGES_VALUES', code, reason: text });
    }
  }
  return verdicts;
}

/** Other rows are worse than none that are new. */
function wholeVerdict({ dataset, rows, stale }: DatasetEffect): Verdict | null {
  const cause = rows ?? stale;
  return cause && { severity: rows ? 'CHANGES_VALUES' : 'STALE', code: cause.code, reason: `Dataset ${dataset.name} ${cause.reason}.` };
}

function linksOf({ reachable, judged }: FindingParts): Map<NodeKey, Link[]> {
  const links = new Map<NodeKey, Link[]>();
  const add = (from: NodeKey, link: Link): void => void (links.get(from) ?? links.set(from, []).get(from))?.push(link);
  for (const { id, job, specChanged } of reachable) {
    const node = jobNode(job);
    const cause = judged.judgements.get(id) ?? judged.blind.get(id);
    for (const from of cause?.via ?? []) if (from !== node) add(from, { to: node, through: null });
    for (const effect of judged.judgements.get(id)?.outputs.values() ?? []) {
      for (const [to, { via }] of affectedNodes(effect)) {
        for (const from of via.length > 0 ? via : (cause?.via ?? [])) add(from, { to, through: from === node ? null : node });
        if (specChanged && via.length === 0) add(node, { to, through: null });
      }
    }
  }
  return links;
}

function affectedNodes({ dataset, rows, stale, columns }: DatasetEffect): [NodeKey, Cause][] {
  const whole = [rows, stale].flatMap((cause): [NodeKey, Cause][] => (cause ? [[datasetNode(dataset), cause]] : []));
  return [...whole, ...[...columns].map(([name, effect]): [NodeKey, Cause] => [columnNode(dataset, name), effect])];
}

/** Breadth first by jobs passed: what a changed job itself writes costs nothing. */
function shortestPaths(links: ReadonlyMap<NodeKey, readonly Link[]>, starts: ReadonlyMap<NodeKey, NodeKey>, jobs: ReadonlySet<NodeKey>): Map<NodeKey, Reached> {
  const reached = new Map<NodeKey, Reached>([...starts].map(([key, shown]) => [key, { depth: 0, path: [shown] }]));
  let now = [...starts.keys()];
  while (now.length > 0) {
    const next = new Set<NodeKey>();
    for (let place = 0; place < now.length; place += 1) {
      const from = now[place] as NodeKey;
      const { depth, path } = reached.get(from) as Reached;
      for (const { to, through } of links.get(from) ?? []) {
        if (reached.has(to)) continue;
        const free = through === null && !jobs.has(to);
        reached.set(to, { depth: depth + (free ? 0 : 1), path: [...path, ...(through === null ? [] : [through]), to] });
        if (free) now.push(to);
        else next.add(to);
      }
    }
    now = [...next];
  }
  return reached;
}

function byWorst(a: ImpactFinding, b: ImpactFinding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    a.depth - b.depth ||
    (a.key < b.key ? -1 : Number(a.key > b.key)) ||
    (a.kind < b.kind ? -1 : 1)
  );
}

function plain({ kind, id, key, namespace }: ImpactNode): ImpactNode {
  return { kind, id, key, namespace };
}
