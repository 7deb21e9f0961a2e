import { type Connection, Schema } from 'mongoose';
import type { AuditEntry, KeptAuditEntry } from '../model/audit.js';
import { guarded } from './guarded.js';

interface AuditDocument extends Omit<KeptAuditEntry, 'id' | 'at'> {
  _id: string;
  at: Date;
}

const pipelineSchema = new Schema(
  {
    namespace: { type: String, required: true },
    name: { type: String, required: true },
    specHash: { type: String, required: true },
    version: { type: Number, required: true },
    savedVersion: { type: Number, required: true },
  },
  { _id: false, strict: 'throw' },
);

const schema = new Schema<AuditDocument>(
  {
    _id: { type: String, required: true },
    at: { type: Date, required: true },
    action: { type: String, required: true },
    actor: { type: String, default: null },
    pipelines: { type: [pipelineSchema], required: true },
    reportId: { type: String, required: true },
    findingsHash: { type: String, required: true },
  },
  { versionKey: false, collection: 'audit', strict: 'throw' },
);
schema.index({ at: -1 });
schema.index({ reportId: 1 });
schema.index({ 'pipelines.namespace': 1, 'pipelines.name': 1, at: -1 });

function auditModel(connection: Connection) {
  return connection.model('Audit', schema);
}

/** Who answered for what. There is no way to change or to remove an entry. */
export class AuditStore {
  private readonly entries: ReturnType<typeof auditModel>;

  constructor(connection: Connection) {
    this.entries = auditModel(connection);
  }

  /** Makes the indexes. */
  async prepare(): Promise<void> {
    await guarded('audit log', () => this.entries.createIndexes());
  }

  /** Adds an entry; one of this id that is there already stays as it is. Resolves when it is kept. */
  async append({ id, ...entry }: AuditEntry): Promise<void> {
    const document = { ...entry, pipelines: [...entry.pipelines], at: new Date() };
    await guarded('audit log', () => this.entries.updateOne({ _id: id }, { $setOnInsert: document }, { upsert: true, writeConcern: { w: 'majority' } }));
  }

  /** Entries of a pipeline, newest first, at most `limit`. */
  async ofPipeline({ namespace, name }: { readonly namespace: string; readonly name: string }, limit: number): Promise<KeptAuditEntry[]> {
    const found = await guarded('audit log', () =>
      this.entries
        .find({ pipelines: { $elemMatch: { namespace, name } } })
        .sort({ at: -1, _id: -1 })
        .limit(limit)
        .lean<AuditDocument[]>(),
    );
    return found.map(({ _id, at, ...entry }) => ({ ...entry, id: _id, at: at.toISOString() }));
  }

  /** Those of the reports that an entry names. */
  async namedReports(ids: readonly string[]): Promise<string[]> {
    const found = await guarded('audit log', () => this.entries.find({ reportId: { $in: [...ids] } }, { reportId: 1 }).lean<{ reportId: string }[]>());
    return found.map(({ reportId }) => reportId);
  }
}
