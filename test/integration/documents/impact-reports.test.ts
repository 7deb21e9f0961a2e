import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Documents } from '../../../src/documents/documents.js';
import type { ImpactFinding, ImpactReport } from '../../../src/model/impact.js';
import type { FindingsRequest } from '../../../src/model/impact-report.js';
import { AuditLog } from '../../../src/services/audit.js';
import { ImpactReportService } from '../../../src/services/impact-reports.js';
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

describe('the audit log', () => {
  it('keeps an entry once, as it was first written', async () => {
    const log = new AuditLog({ entries: documents.audit });
    const name = randomUUID();
    const pipelines = [{ namespace: 'shop', name, specHash: 'h', version: 1, savedVersion: 2 }];
    const entry = { id: `aud_${name}`, action: 'ACKNOWLEDGED_SAVE', actor: 'ada', pipelines, reportId: 'imp_1', findingsHash: 'f' } as const;
    await log.append(entry);
    await log.append({ ...entry, actor: 'eve' });
    expect(await log.ofPipeline({ namespace: 'shop', name })).toEqual([{ ...entry, at: expect.any(String) }]);
    expect(await log.ofPipeline({ namespace: 'shop', name: 'other' })).toEqual([]);
  });

  it('has no way to change or to remove an entry', () => {
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(documents.audit)).sort()).toEqual(['append', 'constructor', 'ofPipeline', 'prepare']);
  });
});
