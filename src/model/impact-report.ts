import type { BlindSpot, ImpactCount, ImpactFinding, ImpactGroup, ImpactNodeKind, ImpactReport, Severity } from './impact.js';
import type { JobRef } from './lineage-query.js';

/** A pipeline that a report judged a new document of. */
export interface ReportSubject extends JobRef {
  /** Hash of what the document means. */
  readonly specHash: string;
  /** The saved version that it was judged against; 0: there was none. */
  readonly version: number;
}

export interface FindingGroup {
  readonly severity: Severity;
  readonly kind: ImpactNodeKind;
  readonly count: number;
}

/** A finding of a node that the graph has. */
export interface KeptFinding extends Omit<ImpactFinding, 'id' | 'path' | 'key' | 'namespace'> {
  readonly nodeId: string;
  /** Ids. */
  readonly path: readonly string[];
}

/** A verdict that is kept. Its findings stand beside it, in the order of `groups`, and are read in pages. */
export interface KeptReport extends Pick<ImpactReport, 'revision' | 'verdict' | 'truncated' | 'findingsHash'> {
  /** `imp_…` */
  readonly id: string;
  /** RFC 3339 */
  readonly createdAt: string;
  /** By namespace and name; empty when the change is not one of our pipelines. */
  readonly subjects: readonly ReportSubject[];
  /** Worst severity first. */
  readonly groups: readonly FindingGroup[];
  /** One more than a list may hold where there are more. */
  readonly counts: Readonly<Record<ImpactGroup, readonly ImpactCount[]>>;
  /** One more than a list may hold where there are more. */
  readonly unjudged: readonly Pick<BlindSpot, 'id' | 'reason'>[];
}

export interface FindingsRequest {
  /** This and worse; null: all. */
  readonly minSeverity: Severity | null;
  /** null: all. */
  readonly kinds: readonly string[] | null;
  readonly first: number;
  readonly after: string | null;
}
