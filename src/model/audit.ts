import type { ReportSubject } from './impact-report.js';

/**
 * A save that breaks readers and that somebody answered for. Written before the save is committed, so that none goes without; never
 * changed, never removed. Whether it was committed is told by the graph, where the saved version names the entry.
 */
export interface AuditEntry {
  /** The same for every try of one save. */
  readonly id: string;
  readonly action: 'ACKNOWLEDGED_SAVE';
  /** Who; null: the request named nobody. */
  readonly actor: string | null;
  /** The pipelines with the versions that they had. */
  readonly pipelines: readonly AuditedPipeline[];
  readonly reportId: string;
  readonly findingsHash: string;
}

export interface AuditedPipeline extends ReportSubject {
  /** The version that the save leaves it at. */
  readonly savedVersion: number;
}

export interface KeptAuditEntry extends AuditEntry {
  /** RFC 3339 */
  readonly at: string;
}

export interface AuditRecord extends KeptAuditEntry {
  /** False: the save has not been committed; unless it is under way just now, it never will be. */
  readonly saved: boolean;
}
