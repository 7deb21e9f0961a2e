import type { ImpactReportStore } from '../documents/impact-reports.js';
import { newId } from '../graph/ids.js';
import { decodeCursor, encodeCursor } from '../lib/page-cursor.js';
import { summarize } from '../lineage/impact/summary.js';
import type { Page } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import { type ImpactCount, type ImpactFinding, type ImpactGroup, type ImpactNodeKind, type ImpactReport, severities } from '../model/impact.js';
import type { FindingGroup, FindingsRequest, KeptFinding, KeptReport, ReportSubject } from '../model/impact-report.js';
import { longestList, rowLimit } from './pages.js';

const kinds: readonly ImpactNodeKind[] = ['JOB', 'DATASET', 'COLUMN'];

/** Verdicts that were given: the newest 1,000 are kept, so that they can be looked at and acknowledged later, and all that were acknowledged. */
export class ImpactReportService {
  constructor(private readonly parts: { readonly reports: ImpactReportStore }) {}

  /** @param subjects  the pipelines of which a new document was judged */
  async keep(report: ImpactReport, subjects: readonly ReportSubject[]): Promise<KeptReport> {
    const findings = [...report.findings].sort(byGroup);
    const standing = findings.flatMap(toKept);
    const { revision, verdict, truncated, findingsHash } = report;
    const known = findings.filter(({ id }) => id !== null);
    const by = (group: ImpactGroup): ImpactCount[] => summarize(known, group).slice(0, longestList + 1);
    const kept: KeptReport = {
      id: newId('imp'),
      createdAt: new Date().toISOString(),
      revision,
      verdict,
      truncated,
      findingsHash,
      subjects,
      groups: groupsOf(standing),
      counts: { KIND: by('KIND'), OWNER: by('OWNER'), NAMESPACE: by('NAMESPACE'), TAG: by('TAG'), SEVERITY: by('SEVERITY') },
      unjudged: report.blindSpots.slice(0, longestList + 1).map(({ id, reason }) => ({ id, reason })),
    };
    await this.parts.reports.keep(kept, standing);
    return kept;
  }

  /** null: there is none. */
  byId(id: string): Promise<KeptReport | null> {
    return id.startsWith('imp_') ? this.parts.reports.byId(id) : Promise.resolve(null);
  }

  /** Keeps a report for ever, because somebody answers for it. @throws PlatformError NOT_FOUND when it has been deleted meanwhile */
  async hold(id: string): Promise<void> {
    if (!(await this.parts.reports.hold(id))) throw deleted(id);
  }

  /** Worst first, then jobs, datasets and columns, then nearest first. @throws PlatformError BAD_USER_INPUT when `after` is no cursor of this list; NOT_FOUND when the report is deleted now */
  async findings(report: KeptReport, request: FindingsRequest): Promise<Page<KeptFinding>> {
    const spans = spansOf(report.groups, request);
    const totalCount = spans.reduce((sum, { begin, end }) => sum + end - begin, 0);
    const from = request.after === null ? 0 : placeOf(request.after) + 1;
    const wanted = cut(spans, from, rowLimit(request) - 1);
    const found = await Promise.all(wanted.map(({ begin, end }) => this.parts.reports.findings(report.id, begin, end)));
    const items = wanted.flatMap(({ begin }, index) => (found[index] ?? []).map((node, place) => ({ cursor: encodeCursor([begin + place]), node })));
    if (items.length < wanted.reduce((sum, { begin, end }) => sum + end - begin, 0)) throw deleted(report.id);
    const last = spans.at(-1)?.end ?? 0;
    return { items, hasNextPage: (wanted.at(-1)?.end ?? last) < last, hasPreviousPage: request.after !== null, totalCount };
  }
}

function deleted(id: string): PlatformError {
  return new PlatformError('NOT_FOUND', `Impact report ${id} has just been deleted, because newer ones took its place; ask for a new one.`);
}

/** Places of findings from `begin` to before `end`. */
interface Span {
  readonly begin: number;
  readonly end: number;
}

function spansOf(groups: readonly FindingGroup[], { minSeverity, kinds: wanted }: FindingsRequest): Span[] {
  const worse = severities.slice(0, minSeverity === null ? severities.length : severities.indexOf(minSeverity) + 1);
  let begin = 0;
  return groups.flatMap(({ severity, kind, count }) => {
    const span = { begin, end: begin + count };
    begin += count;
    return worse.includes(severity) && (wanted === null || wanted.includes(kind)) ? [span] : [];
  });
}

/** The first `most` places of the spans that are not before `from`. */
function cut(spans: readonly Span[], from: number, most: number): Span[] {
  let left = most;
  return spans.flatMap((span) => {
    const begin = Math.max(span.begin, from);
    const end = Math.min(span.end, begin + left);
    if (begin >= end) return [];
    left -= end - begin;
    return [{ begin, end }];
  });
}

function placeOf(after: string): number {
  const [place] = decodeCursor(after, ['number']) ?? [];
  if (typeof place === 'number' && Number.isSafeInteger(place) && place >= 0) return place;
  throw new PlatformError('BAD_USER_INPUT', '`after` is not a cursor of this list; use one from an earlier page of it, unchanged.');
}

function byGroup(one: ImpactFinding, other: ImpactFinding): number {
  return (
    severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
    kinds.indexOf(one.kind) - kinds.indexOf(other.kind) ||
    one.depth - other.depth ||
    (one.key < other.key ? -1 : Number(one.key > other.key))
  );
}

/** Nothing of what the graph does not have yet: it cannot be changed, only begin. */
function toKept({ id, path, key: _, namespace: __, ...finding }: ImpactFinding): KeptFinding[] {
  return id === null ? [] : [{ ...finding, nodeId: id, path: path.flatMap((node) => node.id ?? []) }];
}

/** How many there are of each severity and kind, in the order in which they stand. */
function groupsOf(findings: readonly KeptFinding[]): FindingGroup[] {
  return severities.flatMap((severity) =>
    kinds.flatMap((kind) => {
      const count = findings.filter((finding) => finding.severity === severity && finding.kind === kind).length;
      return count === 0 ? [] : [{ severity, kind, count }];
    }),
  );
}
