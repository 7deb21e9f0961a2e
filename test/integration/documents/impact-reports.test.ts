import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Documents } from '../../../src/documents/documents.js';
import type { ImpactFinding, ImpactReport } from '../../../src/model/impact.js';
import type { FindingsRequest, KeptReport } from '../../../src/model/impact-report.js';
import { ImpactReportService } from '../../../src/services/impact-reports.js';
import { eventually } from '../../support/eventually.js';
import { documentsUri } from './documents-uri.js';

let documents: Documents;
let reports: ImpactReportService;

beforeAll(async () => {
  documents = await Documents.open({ uri: documentsUri() });
  reports = new ImpactReportService({ reports: documents.impactReports });
});
afterAll(() => documents.close());

function finding(number: number, more: Partial<ImpactFinding> = {}): ImpactFinding {
  const key = `shop/job${String(number).padStart(5, '0')}`;
  const node = { kind: 'JOB' as const, id: `job_${number}`, key, namespace: 'shop' };
  return { ...node, severity: 'STALE', code: 'UPSTREAM_BREAKS', reason: `${key}.$x is stale.`, depth: 2, path: [node], owners: ['ada'], tags: [], ...more };
}

function reportOf(findings: readonly ImpactFinding[]): ImpactReport {
  return { revision: '7', verdict: 'BREAKS', findings, blindSpots: [], truncated: [], findingsHash: 'hash' };
}

const all: FindingsRequest = { minSeverity: null, kinds: null, first: 1_000, after: null };

describe('a report that is kept', () => {
  it('is found by its id, with every finding of a node that the graph has, in pages and with counts', async () => {
    const findings = [
      ...Array.from({ length: 1_234 }, (_, index) => finding(index)),
      finding(5_000, { severity: 'BREAKS', code: 'COLUMN_READ', owners: ['ada', 'bob'] }),
      finding(5_001, { kind: 'COLUMN', severity: 'CHANGES_VALUES', code: 'TYPE_CHANGED', owners: [] }),
      finding(5_002, { kind: 'COLUMN' }),
      finding(5_003, { severity: 'NONE', code: 'NOT_USED' }),
      finding(5_004, { id: null, severity: 'NONE' }),
    ];
    const kept = await reports.keep(reportOf(findings), [{ namespace: 'a.b', name: '$c', specHash: 'h', version: 3 }]);
    expect(kept.id).toMatch(/^imp_/);
    expect(await reports.byId(kept.id)).toEqual(kept);
    expect(kept.counts.KIND).toEqual([
      { key: 'COLUMN', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'COLUMN', severity: 'STALE', count: 1 },
      { key: 'JOB', severity: 'BREAKS', count: 1 },
      { key: 'JOB', severity: 'STALE', count: 1_234 },
      { key: 'JOB', severity: 'NONE', count: 1 },
    ]);
    expect(kept.counts.OWNER.find(({ key }) => key === 'bob')).toEqual({ key: 'bob', severity: 'BREAKS', count: 1 });

    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page = await reports.findings(kept, { ...all, first: 333, after });
      expect(page.totalCount).toBe(1_238);
      seen.push(...page.items.map(({ node }) => node.nodeId));
      after = page.items.at(-1)?.cursor ?? null;
      more = page.hasNextPage;
    }
    expect(seen).toHaveLength(1_238);
    expect(new Set(seen).size).toBe(1_238);
    expect([seen[0], seen[1], seen[2], seen.at(-2), seen.at(-1)]).toEqual(['job_5000', 'job_5001', 'job_0', 'job_5002', 'job_5003']);

    const worst = await reports.findings(kept, { ...all, minSeverity: 'CHANGES_VALUES' });
    expect(worst).toMatchObject({ totalCount: 2, hasNextPage: false, items: [{ node: { nodeId: 'job_5000' } }, { node: { nodeId: 'job_5001' } }] });
    const columns = await reports.findings(kept, { ...all, kinds: ['COLUMN'], first: 1 });
    expect(columns).toMatchObject({ totalCount: 2, hasNextPage: true, items: [{ node: { nodeId: 'job_5001' } }] });
    const next = await reports.findings(kept, { ...all, kinds: ['COLUMN'], first: 1, after: columns.items[0]?.cursor ?? '' });
    expect(next).toMatchObject({ hasNextPage: false, hasPreviousPage: true, items: [{ node: { nodeId: 'job_5002' } }] });
  });

  it('that was kept before anything could be tagged has no counts by tag', async () => {
    const { id: _, ...kept } = await reports.keep(reportOf([finding(1)]), []);
    const { createdAt, ...report } = { ...kept, counts: { ...kept.counts, TAG: undefined } };
    const old = { _id: `imp_${randomUUID()}` as never, createdAt: new Date(createdAt), report: JSON.stringify(report) };
    await documents.database.collection('impactReports').insertOne(old);
    expect((await reports.byId(old._id))?.counts).toEqual(kept.counts);
  });

  it('may hold findings with paths of any length', async () => {
    const path = Array.from({ length: 20_000 }, (_, index) => ({ kind: 'COLUMN' as const, id: `col_${index}`, key: `k${index}`, namespace: 'n' }));
    const kept = await reports.keep(reportOf(Array.from({ length: 60 }, (_, index) => finding(index, { path }))), []);
    const page = await reports.findings(kept, { ...all, first: 60 });
    expect(page.items.map(({ node }) => [node.nodeId, node.path.length])).toEqual(Array.from({ length: 60 }, (_, index) => [`job_${index}`, 20_000]));
  });

  it('has no findings where there are none, and refuses the cursors of others', async () => {
    const kept = await reports.keep({ ...reportOf([]), verdict: 'NONE' }, []);
    expect(await reports.findings(kept, all)).toEqual({ items: [], hasNextPage: false, hasPreviousPage: false, totalCount: 0 });
    await expect(reports.findings(kept, { ...all, after: 'bogus' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await reports.byId('imp_nothing')).toBeNull();
    expect(await reports.byId('dl_nothing')).toBeNull();
  });
});

describe('reports that are too many', () => {
  let few: Documents;
  let service: ImpactReportService;
  beforeEach(async () => {
    few = await Documents.open({ uri: documentsUri(), mostReports: 3 });
    service = new ImpactReportService({ reports: few.impactReports });
  });
  afterEach(() => few.close());

  const keep = async (): Promise<KeptReport> => {
    const kept = await service.keep(reportOf(Array.from({ length: 600 }, (_, index) => finding(index))), []);
    await eventually('a later millisecond', async () => new Date().toISOString() > kept.createdAt);
    return kept;
  };
  const ids = async (collection: string, field: string): Promise<unknown[]> => (await few.database.collection(collection).distinct(field)).sort();
  const namedBy = ({ id }: KeptReport) =>
    ({ id: `aud_${id}`, action: 'ACKNOWLEDGED_SAVE', actor: null, pipelines: [], reportId: id, findingsHash: 'hash' }) as const;

  it('leave with their findings, the oldest first', async () => {
    const kept: KeptReport[] = [];
    for (let count = 0; count < 5; count += 1) kept.push(await keep());
    const newest = kept
      .slice(2)
      .map(({ id }) => id)
      .sort();
    expect(await ids('impactReports', '_id')).toEqual(newest);
    expect(await ids('impactFindings', 'reportId')).toEqual(newest);
    expect(await service.byId(kept[1]?.id ?? '')).toBeNull();
    await expect(service.findings(kept[1] as KeptReport, all)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.hold(kept[1]?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('stay when somebody answers for them, and take no place of others', async () => {
    const [held, named] = [await keep(), await keep()];
    await service.hold(held.id);
    await few.audit.append(namedBy(named));
    const later: KeptReport[] = [];
    for (let count = 0; count < 5; count += 1) later.push(await keep());
    expect(await ids('impactReports', '_id')).toEqual([held, named, ...later.slice(2)].map(({ id }) => id).sort());
    expect((await service.findings(held, all)).items).toHaveLength(600);
    expect((await service.findings(named, all)).items).toHaveLength(600);
  });

  it('are either held or deleted, whoever comes first', async () => {
    for (let round = 0; round < 5; round += 1) {
      const oldest = await keep();
      for (let count = 0; count < 2; count += 1) await keep();
      const [held] = await Promise.all([
        service.hold(oldest.id).then(
          () => true,
          () => false,
        ),
        keep(),
      ]);
      expect((await service.byId(oldest.id)) !== null).toBe(held);
      expect((await ids('impactFindings', 'reportId')).includes(oldest.id)).toBe(held);
    }
  });

  it('that a crash left half deleted are not found, and are deleted by the next one', async () => {
    const half = await keep();
    await few.database.collection<{ _id: string }>('impactReports').updateOne({ _id: half.id }, { $set: { state: 'LEAVING' } });
    expect(await service.byId(half.id)).toBeNull();
    for (let count = 0; count < 3; count += 1) await keep();
    expect(await ids('impactFindings', 'reportId')).not.toContain(half.id);
  });
});

describe('the audit log', () => {
  it('keeps an entry once, as it was first written', async () => {
    const log = documents.audit;
    const name = randomUUID();
    const pipelines = [{ namespace: 'shop', name, specHash: 'h', version: 1, savedVersion: 2 }];
    const entry = { id: `aud_${name}`, action: 'ACKNOWLEDGED_SAVE', actor: 'ada', pipelines, reportId: 'imp_1', findingsHash: 'f' } as const;
    await log.append(entry);
    await log.append({ ...entry, actor: 'eve' });
    expect(await log.ofPipeline({ namespace: 'shop', name }, 10)).toEqual([{ ...entry, at: expect.any(String) }]);
    expect(await log.ofPipeline({ namespace: 'shop', name: 'other' }, 10)).toEqual([]);
  });

  it('has no way to change or to remove an entry', () => {
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(documents.audit)).sort()).toEqual([
      'append',
      'constructor',
      'namedReports',
      'ofPipeline',
      'prepare',
    ]);
  });
});
