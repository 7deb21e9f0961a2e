import type { ReportSubject } from './impact-report.js';

/** A save that breaks readers and that somebody answered for. Written before it is committed; never changed, never removed. */
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
  /** The version that the save made. */
  readonly savedVersion: number;
}

export interface KeptAuditEntry extends AuditEntry {
  /** RFC 3339 */
  readonly at: string;
}
