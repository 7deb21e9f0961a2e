import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectors } from '../../../src/connectors/connectors.js';
import type { Change, ImpactReport } from '../../../src/model/impact.js';
import { changeJudge } from '../../../src/services/impact/judge-change.js';
import { compileHere } from '../../unit/lineage/impact/impact-shop.js';
import { openShop, type Shop } from './shop.js';

describe('impact, judged on the graph', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop('impact');
    await shop.database.query('CREATE TABLE public.orders (id integer PRIMARY KEY, note text, status integer)');
    await shop.save(pipeline('staging', 'public.orders', 'stage.orders', { id: 'id', note: 'note', status: 'status' }));
    await shop.save(pipeline('mart', 'stage.orders', 'mart.orders', { id: 'id', remark: 'upper(note)' }));
    await shop.save(pipeline('report', 'mart.orders', 'report.orders', { id: 'id' }));
    await shop.save(pipeline('other', 'public.orders', 'report.other', { id: 'id', s: 'status + 1' }));
  }, 60_000);
  afterAll(() => shop.close(), 60_000);

  it('says what breaks, what goes stale and what does not care', async () => {
    const report = await judged({ kind: 'dropColumn', column: column('note') });
    expect(jobs(report)).toEqual({ staging: 'BREAKS COLUMN_READ', mart: 'STALE UPSTREAM_BREAKS', report: 'STALE UPSTREAM_BREAKS', other: 'NONE NOT_USED' });
    expect(report.revision).toBe(String(await shop.revision()));
  });

  it('names nodes that the graph has, from the changed one on', async () => {
    const { findings } = await judged({ kind: 'dropColumn', column: column('note') });
    const mart = findings.find(({ kind, key }) => kind === 'JOB' && key === `${shop.name}/mart`);
    const [note] = await shop.query('MATCH (:DatasetName {name: $name})-[:NAMES]->(d)-[:HAS_COLUMN]->(c:Column {name: "note"}) RETURN c.id AS id', {
      name: `${shop.name}.public.orders`,
    });
    expect(mart?.depth).toBe(2);
    expect(mart?.path.map(({ kind }) => kind)).toEqual(['COLUMN', 'JOB', 'DATASET', 'JOB']);
    expect(mart?.path[0]?.id).toBe(note?.['id']);
    expect(findings.every(({ id }) => id !== null)).toBe(true);
  });

  it('judges a type against every reader', async () => {
    const report = await judged({ kind: 'retypeColumn', column: column('status'), to: 'text' });
    expect(jobs(report)).toMatchObject({ other: 'BREAKS TYPE_MISMATCH', mart: 'NONE NOT_USED' });
  });

  it('refuses a column that is not there, and a type that is no other', async () => {
    await expect(judged({ kind: 'dropColumn', column: column('nothing') })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(judged({ kind: 'retypeColumn', column: column('id'), to: 'integer' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('needs no source', async () => {
    const before = await judged({ kind: 'dropDataset', dataset: { namespace: shop.namespace, name: `${shop.name}.public.orders` } });
    await shop.database.query('DROP SCHEMA public CASCADE');
    const after = await judged({ kind: 'dropDataset', dataset: { namespace: shop.namespace, name: `${shop.name}.public.orders` } });
    expect(jobs(after)).toMatchObject({ staging: 'BREAKS DATASET_GONE', other: 'BREAKS DATASET_GONE' });
    expect(after.findingsHash).toBe(before.findingsHash);
  });

  function pipeline(name: string, from: string, to: string, columns: Record<string, string>) {
    return {
      version: 1,
      name,
      namespace: shop.name,
      inputs: { before: { connection: shop.name, stream: from } },
      steps: [{ id: 'shaped', map: { from: 'before', columns } }],
      outputs: [{ from: 'shaped', connection: shop.name, stream: to, load: { mode: 'upsert', key: ['id'] } }],
    };
  }

  function column(name: string) {
    return { namespace: shop.namespace, dataset: `${shop.name}.public.orders`, name };
  }

  async function judged(change: Change): Promise<ImpactReport> {
    const { graph, connections } = shop;
    const answer = await changeJudge({ graph, connections, connectors, compileMany: compileHere })(change, null);
    if (answer.outcome !== 'judged') throw new Error(JSON.stringify(answer));
    return answer.report;
  }

  function jobs({ findings }: ImpactReport): Record<string, string> {
    const own = findings.filter(({ kind }) => kind === 'JOB');
    return Object.fromEntries(own.map(({ key, severity, code }) => [key.replace(`${shop.name}/`, ''), `${severity} ${code}`]));
  }
});
