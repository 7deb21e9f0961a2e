import type { AuditStore } from '../documents/audit.js';
import type { AuditEntry, KeptAuditEntry } from '../model/audit.js';
import type { JobRef } from '../model/lineage-query.js';
import { longestList } from './pages.js';

/** Who answered for what. Entries are only ever added. */
export class AuditLog {
  constructor(private readonly parts: { readonly entries: AuditStore }) {}

  /** Resolves when the entry is kept; appending it again changes nothing. @throws PlatformError DOCUMENTS_UNAVAILABLE */
  append(entry: AuditEntry): Promise<void> {
    return this.parts.entries.append(entry);
  }

  /** Newest first, at most 1,000. */
  ofPipeline(pipeline: JobRef): Promise<KeptAuditEntry[]> {
    return this.parts.entries.ofPipeline(pipeline, longestList);
  }
}
