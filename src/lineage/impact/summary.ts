import type { ImpactCount, ImpactFinding, ImpactGroup, Severity } from '../../model/impact.js';
import { severities } from '../../model/impact.js';

/** How many findings there are of each group and severity; a finding with several owners or tags counts for each. By key, worst first. */
export function summarize(findings: readonly ImpactFinding[], by: ImpactGroup): ImpactCount[] {
  const counts = new Map<string, Map<Severity, number>>();
  for (const finding of findings) {
    for (const key of keysOf(finding, by)) {
      const known = counts.get(key) ?? new Map<Severity, number>();
      known.set(finding.severity, (known.get(finding.severity) ?? 0) + 1);
      counts.set(key, known);
    }
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, known]) => severities.flatMap((severity) => (known.has(severity) ? [{ key, severity, count: known.get(severity) ?? 0 }] : [])));
}

function keysOf(finding: ImpactFinding, by: ImpactGroup): readonly string[] {
  if (by === 'KIND') return [finding.kind];
  if (by === 'NAMESPACE') return [finding.namespace];
  if (by === 'SEVERITY') return [finding.severity];
  return by === 'OWNER' ? finding.owners : finding.tags;
}
