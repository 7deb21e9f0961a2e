import type { AuditStore } from '../documents/audit.js';
import type { Graph } from '../graph/graph.js';
import { answeredFor } from '../graph/pipelines.js';
import type { AuditEntry, AuditRecord } from '../model/audit.js';
import type { JobRef } from '../model/lineage-query.js';
import { longestList } from './pages.js';

/** Who answered for what. Entries are only ever added. */
export class AuditLog {
  constructor(private readonly parts: { readonly entries: AuditStore; readonly graph: Graph }) {}

  /** Resolves when the entry is kept; appending it again changes nothing. @throws PlatformError DOCUMENTS_UNAVAILABLE */
  append(entry: AuditEntry): Promise<void> {
    return this.parts.entries.append(entry);
  }

  /** Newest first, at most 1,000. */
  async ofPipeline({ namespace, name }: JobRef): Promise<AuditRecord[]> {
    const kept = await this.parts.entries.ofPipeline({ namespace, name }, longestList);
    const saves = kept.flatMap(({ id: auditId, pipelines }) => {
      const own = pipelines.find((pipeline) => pipeline.namespace === namespace && pipeline.name === name);
      return own === undefined ? [] : [{ auditId, namespace, name, version: own.savedVersion }];
    });
    const saved = new Set(saves.length === 0 ? [] : await this.parts.graph.read(answeredFor, { saves }));
    return kept.map((entry) => ({ ...entry, saved: saved.has(entry.id) }));
  }
}
