import { type Connection, Schema } from 'mongoose';
import type { KeptFinding, KeptReport } from '../model/impact-report.js';
import type { AuditStore } from './audit.js';
import { guarded } from './guarded.js';

interface ReportDocument {
  _id: string;
  createdAt: Date;
  /** JSON of everything but the findings: names in it may hold dots and dollar signs. */
  report: string;
  /** NAMED: an audit entry names it, so it stays. LEAVING: it is being deleted, and is not found any more. Absent: neither. */
  state?: 'NAMED' | 'LEAVING';
}

/** A bounded piece of a report's findings. */
interface FindingsDocument {
  /** Report id + ':' + number of the piece. */
  _id: string;
  reportId: string;
  /** Place of its first finding in the report. */
  begin: number;
  /** Place behind its last one. */
  end: number;
  /** JSON of each finding. */
  findings: string[];
}

/** A MongoDB document holds at most 16 MiB, and one finding is far below the rest. */
const largestPieceBytes = 1024 * 1024;
const mostPerPiece = 500;
/** So many that are too many leave at once. */
const mostLeaving = 20;
const what = 'impact reports';

const reportSchema = new Schema<ReportDocument>(
  {
    _id: { type: String, required: true },
    createdAt: { type: Date, required: true },
    report: { type: String, required: true },
    state: { type: String },
  },
  { versionKey: false, collection: 'impactReports', strict: 'throw' },
);
reportSchema.index({ createdAt: -1 });
const findingsSchema = new Schema<FindingsDocument>(
  {
    _id: { type: String, required: true },
    reportId: { type: String, required: true },
    begin: { type: Number, required: true },
    end: { type: Number, required: true },
    findings: { type: [String], required: true },
  },
  { versionKey: false, collection: 'impactFindings', strict: 'throw' },
);
findingsSchema.index({ reportId: 1, begin: 1 });

function reportModel(connection: Connection) {
  return connection.model('ImpactReport', reportSchema);
}

function findingsModel(connection: Connection) {
  return connection.model('ImpactFindings', findingsSchema);
}

/** Verdicts that were given, with their findings in pieces: the newest ones, and those that an audit entry names. */
export class ImpactReportStore {
  private readonly reports: ReturnType<typeof reportModel>;
  private readonly pieces: ReturnType<typeof findingsModel>;

  /** @param mostReports  that no audit entry names */
  constructor(
    connection: Connection,
    private readonly audit: AuditStore,
    private readonly mostReports: number,
  ) {
    this.reports = reportModel(connection);
    this.pieces = findingsModel(connection);
  }

  /** Makes the indexes. */
  async prepare(): Promise<void> {
    await guarded(what, () => this.reports.createIndexes());
    await guarded(what, () => this.pieces.createIndexes());
  }

  /** The oldest reports that are too many make room. The findings are written first, so that a report that is found is whole. */
  async keep(report: KeptReport, findings: readonly KeptFinding[]): Promise<void> {
    await this.makeRoom();
    for (const piece of piecesOf(report.id, findings)) await guarded(what, () => this.pieces.create([piece]));
    const { id, createdAt, ...rest } = report;
    await guarded(what, () => this.reports.create([{ _id: id, createdAt: new Date(createdAt), report: JSON.stringify(rest) }]));
  }

  /** null: there is none. */
  async byId(id: string): Promise<KeptReport | null> {
    const found = await guarded(what, () => this.reports.findOne({ _id: id, state: { $ne: 'LEAVING' } }).lean<ReportDocument>());
    if (found === null) return null;
    const report = JSON.parse(found.report) as Omit<KeptReport, 'id' | 'createdAt'>;
    // Reports kept before anything could be tagged have no counts by tag.
    return { ...report, counts: { ...report.counts, TAG: report.counts.TAG ?? [] }, id, createdAt: found.createdAt.toISOString() };
  }

  /** From now on the report stays. @returns false when there is none any more */
  async hold(id: string): Promise<boolean> {
    const { matchedCount } = await guarded(what, () => this.reports.updateOne({ _id: id, state: { $ne: 'LEAVING' } }, { $set: { state: 'NAMED' } }));
    return matchedCount > 0;
  }

  /** The findings at the places from `begin` to before `end`. */
  async findings(reportId: string, begin: number, end: number): Promise<KeptFinding[]> {
    if (begin >= end) return [];
    const pieces = await guarded(what, () =>
      this.pieces
        .find({ reportId, begin: { $lt: end }, end: { $gt: begin } })
        .sort({ begin: 1 })
        .lean<FindingsDocument[]>(),
    );
    return pieces.flatMap((piece) =>
      piece.findings.slice(Math.max(0, begin - piece.begin), end - piece.begin).map((finding) => JSON.parse(finding) as KeptFinding),
    );
  }

  private async makeRoom(): Promise<void> {
    const excess = await guarded(what, () =>
      this.reports
        .find({ state: { $ne: 'NAMED' } }, { _id: 1 })
        .sort({ createdAt: -1, _id: -1 })
        .skip(this.mostReports - 1)
        .limit(mostLeaving)
        .lean<{ _id: string }[]>(),
    );
    if (excess.length === 0) return;
    const ids = excess.map(({ _id }) => _id);
    const named = new Set(await this.audit.namedReports(ids));
    for (const id of ids) await (named.has(id) ? this.hold(id) : this.remove(id));
  }

  /** The report leaves first and goes last: what a crash leaves behind is found again, and nobody holds half a report. */
  private async remove(id: string): Promise<void> {
    const { matchedCount } = await guarded(what, () => this.reports.updateOne({ _id: id, state: { $ne: 'NAMED' } }, { $set: { state: 'LEAVING' } }));
    if (matchedCount === 0) return;
    await guarded(what, () => this.pieces.deleteMany({ reportId: id }));
    await guarded(what, () => this.reports.deleteOne({ _id: id, state: 'LEAVING' }));
  }
}

function* piecesOf(reportId: string, findings: readonly KeptFinding[]): Generator<FindingsDocument> {
  let begin = 0;
  for (let number = 0; begin < findings.length; number += 1) {
    const texts: string[] = [];
    for (let bytes = 0; begin + texts.length < findings.length && texts.length < mostPerPiece; ) {
      const text = JSON.stringify(findings[begin + texts.length]);
      bytes += Buffer.byteLength(text);
      if (texts.length > 0 && bytes > largestPieceBytes) break;
      texts.push(text);
    }
    const end = begin + texts.length;
    yield { _id: `${reportId}:${number}`, reportId, begin, end, findings: texts };
    begin = end;
  }
}
