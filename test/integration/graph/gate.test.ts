import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lockMeta, raiseRevision } from '../../../src/graph/meta.js';
import { revivePipeline } from '../../../src/graph/pipelines.js';
import type { AuditEntry } from '../../../src/model/audit.js';
import { AuditLog } from '../../../src/services/audit.js';
import type { SavedPipeline } from '../../../src/services/pipelines.js';
import { eventually } from '../../support/eventually.js';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('gate');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY, status text, amount numeric(12,2) NOT NULL, note text, changed timestamptz)');
});
afterAll(() => shop.close());

type Columns = Readonly<Record<string, string>>;

/** Reads `from` and makes mart.<name>, keyed by id. */
function maker(name: string, from: string, columns: Columns, more: Row = {}): Row {
  return {
    version: 1,
    namespace: shop.name,
    name,
    owners: [`${name}-team`],
    inputs: { read: { connection: shop.name, stream: from } },
    steps: [{ id: 'shaped', map: { from: 'read', columns } }],
    outputs: [{ from: 'shaped', connection: shop.name, stream: `mart.${name}`, load: { mode: 'upsert', key: ['id'] } }],
    ...more,
  };
}

/** A producer with columns id, status and amount, and a reader of its amount. */
async function chain(name: string): Promise<{ producer: Row; without: Row }> {
  const producer = maker(name, 'public.orders', { id: 'id', status: 'status', amount: 'amount' });
  await shop.save(producer);
  await shop.save(maker(`${name}_reader`, `mart.${name}`, { id: 'id', doubled: 'amount * 2' }));
  return { producer, without: maker(name, 'public.orders', { id: 'id', status: 'status' }) };
}

function blocked(saved: SavedPipeline): Extract<SavedPipeline, { outcome: 'blocked' }> {
  if (saved.outcome !== 'blocked') throw new Error(`Not blocked: ${JSON.stringify(saved)}`);
  return saved;
}

async function versionOf(name: string): Promise<number | undefined> {
  return (await shop.pipelines.get({ namespace: shop.name, name }))?.version;
}

describe('the gate', () => {
  it('refuses a save that breaks a reader, with a report that names it, and saves nothing', async () => {
    const { without } = await chain('refused');
    const { message, report } = blocked(await shop.pipelines.save({ spec: without }));
    expect(message).toBe(
      `The change breaks the job ${shop.name}/refused_reader; nothing was saved. Change what reads it first or together with it, or save with \`acknowledge: "${report.id}"\`.`,
    );
    expect(report.verdict).toBe('BREAKS');
    expect(report.subjects).toMatchObject([{ namespace: shop.name, name: 'refused', version: 1 }]);
    const { items } = await shop.reports.findings(report, { minSeverity: 'BREAKS', kinds: ['JOB'], first: 10, after: null });
    expect(items.map(({ node }) => node)).toMatchObject([{ code: 'COLUMN_READ', depth: 1, owners: ['refused_reader-team'] }]);
    expect(items[0]?.node.reason).toMatch(/refused_reader.*shaped.*amount/);
    expect(await versionOf('refused')).toBe(1);
    expect(await shop.audit.ofPipeline({ namespace: shop.name, name: 'refused' })).toEqual([]);
  });

  it('lets through what breaks nobody: an equal spec, another column, a pipeline that nobody reads', async () => {
    const { producer, without } = await chain('harmless');
    expect(await shop.pipelines.save({ spec: producer })).toMatchObject({ outcome: 'saved', pipeline: { version: 1 } });
    const more = maker('harmless', 'public.orders', { id: 'id', amount: 'amount', note: 'note' });
    expect(await shop.pipelines.save({ spec: more })).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    expect(await shop.pipelines.save({ spec: maker('harmless_reader', 'mart.harmless', { id: 'id', amount: 'amount' }) })).toMatchObject({ outcome: 'saved' });
    await shop.pipelines.delete({ namespace: shop.name, name: 'harmless_reader' });
    expect(await shop.pipelines.save({ spec: without })).toMatchObject({ outcome: 'saved', pipeline: { version: 3 } });
  });

  it('does not block what leaves a reader stale, and says so when it is asked', async () => {
    const { producer } = await chain('moving');
    const outputs = [{ from: 'shaped', connection: shop.name, stream: 'mart.elsewhere', load: { mode: 'upsert', key: ['id'] } }];
    const report = await shop.impacts.report({ kind: 'pipelineSpec', document: { ...producer, outputs } }, null);
    expect(report.verdict).toBe('STALE');
    const { items } = await shop.reports.findings(report, { minSeverity: 'STALE', kinds: ['JOB'], first: 10, after: null });
    expect(items.map(({ node }) => [node.severity, node.code])).toEqual([['STALE', 'OUTPUT_REMOVED']]);
    expect(await shop.pipelines.save({ spec: { ...producer, outputs } })).toMatchObject({ outcome: 'saved' });
  });

  it('refuses to turn a column NULL that somebody reads, in a table that is there', async () => {
    await shop.database.query('CREATE SCHEMA IF NOT EXISTS mart');
    await shop.database.query('CREATE TABLE mart.nulled (id integer PRIMARY KEY, status text, amount numeric(12,2))');
    const { without } = await chain('nulled');
    const { message, report } = blocked(await shop.pipelines.save({ spec: without }));
    expect(message).toBe(
      `The change turns columns NULL that are read or written by the job ${shop.name}/nulled_reader; nothing was saved. Change what reads it first or together with it, or save with \`acknowledge: "${report.id}"\`.`,
    );
    const { items } = await shop.reports.findings(report, { minSeverity: 'CHANGES_VALUES', kinds: ['JOB'], first: 10, after: null });
    expect(items.map(({ node }) => node.code)).toEqual(['NULL_READ']);
    const unread = maker('nulled', 'public.orders', { id: 'id', amount: 'amount' });
    expect(await shop.pipelines.save({ spec: unread })).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    const again = blocked(await shop.pipelines.save({ spec: without })).report;
    expect(await shop.pipelines.save({ spec: without, acknowledge: again.id })).toMatchObject({ outcome: 'saved', pipeline: { version: 3 } });
  });

  it('does not open for what has more readers than are judged, unless somebody answers for it', async () => {
    const columns = { id: 'id', amount: 'amount' };
    await shop.save(maker('crowded', 'public.orders', columns));
    const namespace = `${shop.name} crowd`;
    await shop.query(
      `MATCH (:DatasetName {namespace: $place, name: $name})-[:NAMES]->(dataset:Dataset) UNWIND range(1, 1001) AS number
       CREATE (:Job:Pipeline {id: $namespace + number, namespace: $namespace, name: toString(number), owners: [], spec: '{}', version: 1})-[:READS]->(dataset)`,
      { place: shop.namespace, name: `${shop.database.name}.mart.crowded`, namespace },
    );
    const spec = maker('crowded', 'public.orders', { ...columns, amount: 'amount + 1' });
    const { message, report } = blocked(await shop.pipelines.save({ spec }));
    expect(message).toBe(
      `More jobs read what changes than were judged, and what was not judged may break; nothing was saved. Change less at a time, or save with \`acknowledge: "${report.id}"\`.`,
    );
    expect(report.truncated).toEqual(['MAX_NODES']);
    expect(report.unjudged).toHaveLength(1_000);
    expect(await shop.pipelines.save({ spec, acknowledge: report.id })).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    await shop.query('MATCH (job:Job {namespace: $namespace}) DETACH DELETE job', { namespace });
  });

  it('saves what is acknowledged and keeps who answered for it, and the report for ever', async () => {
    const { without } = await chain('answered');
    const { report } = blocked(await shop.pipelines.save({ spec: without, actor: 'ada' }));
    const saved = await shop.pipelines.save({ spec: without, acknowledge: report.id, expectedVersion: 1, actor: 'ada' });
    expect(saved).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    expect(await shop.audit.ofPipeline({ namespace: shop.name, name: 'answered' })).toEqual([
      {
        id: expect.stringMatching(/^aud_/),
        at: expect.any(String),
        action: 'ACKNOWLEDGED_SAVE',
        actor: 'ada',
        pipelines: [{ namespace: shop.name, name: 'answered', specHash: report.subjects[0]?.specHash, version: 1, savedVersion: 2 }],
        reportId: report.id,
        findingsHash: report.findingsHash,
        saved: true,
      },
    ]);
    const kept = await shop.documents.database.collection<{ _id: string }>('impactReports').findOne({ _id: report.id });
    expect(kept).toMatchObject({ state: 'NAMED' });
  });

  it('keeps an entry of a save whose commit failed as one that was not saved', async () => {
    const { without } = await chain('failing');
    const { report } = blocked(await shop.pipelines.save({ spec: without }));
    class EndingBeforeTheCommit extends AuditLog {
      override async append(entry: AuditEntry): Promise<void> {
        await super.append(entry);
        await shop.query(
          `SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE NOT currentQuery CONTAINS 'TERMINATE'
           TERMINATE TRANSACTIONS transactionId YIELD message RETURN message`,
        );
      }
    }
    const failing = shop.auditedBy(new EndingBeforeTheCommit({ entries: shop.documents.audit, graph: shop.graph }));
    await expect(failing.save({ spec: without, acknowledge: report.id })).rejects.toMatchObject({ name: 'PlatformError', code: 'INTERNAL' });
    expect(await versionOf('failing')).toBe(1);
    const versionsOf = async () =>
      (await shop.audit.ofPipeline({ namespace: shop.name, name: 'failing' })).map(({ pipelines, saved }) => [pipelines[0]?.savedVersion, saved]);
    expect(await versionsOf()).toEqual([[2, false]]);
    expect(await shop.pipelines.save({ spec: without, acknowledge: report.id })).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    expect(await versionsOf()).toEqual([
      [2, true],
      [2, false],
    ]);
  });

  it('takes an acknowledgement from a report that was asked for beforehand', async () => {
    const { without } = await chain('asked');
    const report = await shop.impacts.report({ kind: 'pipelineSpec', document: without }, null);
    expect(report.verdict).toBe('BREAKS');
    expect(await shop.pipelines.save({ spec: without, acknowledge: report.id })).toMatchObject({ outcome: 'saved' });
  });

  it('refuses an acknowledgement of another document, of another change and of a report that is not there', async () => {
    const { without } = await chain('other');
    const { report } = blocked(await shop.pipelines.save({ spec: without }));
    const another = blocked(await shop.pipelines.save({ spec: { ...without, description: 'the same columns' }, acknowledge: report.id }));
    expect(another.message).toContain(`Report ${report.id} is about another change. The change breaks the job ${shop.name}/other_reader`);
    expect(another.report.id).not.toBe(report.id);
    const key = { namespace: shop.namespace, dataset: `${shop.database.name}.mart.other`, name: 'amount' };
    const dropped = await shop.impacts.report({ kind: 'dropColumn', column: key }, null);
    expect(blocked(await shop.pipelines.save({ spec: without, acknowledge: dropped.id })).message).toContain('is about another change.');
    await expect(shop.pipelines.save({ spec: without, acknowledge: 'imp_none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await versionOf('other')).toBe(1);
  });

  it('refuses an acknowledgement once another reader has appeared', async () => {
    const { without } = await chain('grown');
    const { report } = blocked(await shop.pipelines.save({ spec: without }));
    await shop.save(maker('grown_second', 'mart.grown', { id: 'id', amount: 'amount' }));
    const again = blocked(await shop.pipelines.save({ spec: without, acknowledge: report.id }));
    expect(again.message).toContain(`Since report ${report.id} was made, what the change does to others has changed. The change breaks 2 jobs:`);
    expect(await shop.pipelines.save({ spec: without, acknowledge: again.report.id })).toMatchObject({ outcome: 'saved' });
  });

  it('takes an acknowledgement once only', async () => {
    const { producer, without } = await chain('twice');
    const { report } = blocked(await shop.pipelines.save({ spec: without }));
    expect(await shop.pipelines.save({ spec: without, acknowledge: report.id })).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    expect(await shop.pipelines.save({ spec: producer })).toMatchObject({ outcome: 'saved', pipeline: { version: 3 } });
    const again = blocked(await shop.pipelines.save({ spec: without, acknowledge: report.id }));
    expect(again.message).toContain(`Report ${report.id} was made when ${shop.name}/twice was at version 1; it is at version 3 now.`);
  });

  it('never lets two saves at once leave a reader broken that neither of them breaks alone', async () => {
    for (let round = 0; round < 4; round += 1) {
      const name = `race${round}`;
      const producer = maker(name, 'public.orders', { id: 'id', status: 'status', amount: 'amount' });
      await shop.save(producer);
      const [changed, reader] = await Promise.all([
        shop.pipelines.save({ spec: maker(name, 'public.orders', { id: 'id', status: 'status' }) }),
        shop.otherPipelines.save({ spec: maker(`${name}_reader`, `mart.${name}`, { id: 'id', amount: 'amount' }) }),
      ]);
      const outcomes = `${changed.outcome} ${reader.outcome}`;
      expect(['saved invalid', 'blocked saved']).toContain(outcomes);
    }
  });

  it('never saves two changes of a chain that were each judged without the other', async () => {
    for (let round = 0; round < 4; round += 1) {
      const name = `links${round}`;
      await shop.save(maker(name, 'public.orders', { id: 'id', one: 'amount', two: 'amount + 1' }));
      await shop.save(maker(`${name}_reader`, `mart.${name}`, { id: 'id', one: 'one' }));
      const [producer, reader] = await Promise.all([
        shop.pipelines.save({ spec: maker(name, 'public.orders', { id: 'id', one: 'amount' }) }),
        shop.otherPipelines.save({ spec: maker(`${name}_reader`, `mart.${name}`, { id: 'id', two: 'two' }) }),
      ]);
      expect(['saved invalid', 'blocked saved']).toContain(`${producer.outcome} ${reader.outcome}`);
    }
  });
});

describe('a save that is overtaken between its verdict and its commit', () => {
  /** Saves while another transaction holds Meta; that one revives a reader and commits once the save, which is judged by then, waits for it. */
  async function overtaken(save: () => Promise<SavedPipeline>, reader: string): Promise<SavedPipeline> {
    const [{ id = '' } = {}] = (await shop.query('MATCH (job:Job {namespace: $namespace, name: $reader}) RETURN job.id AS id', {
      namespace: shop.name,
      reader,
    })) as { id?: string }[];
    const { saving } = await shop.graph.transaction(async (transaction) => {
      await transaction.run(lockMeta, { lock: 'other' });
      const begun = save();
      begun.catch(() => undefined);
      await eventually('the save waits', async () => {
        const waiting = await shop.query("SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked by' RETURN status");
        return waiting.length === 1;
      });
      await transaction.run(revivePipeline, { id });
      await transaction.run(raiseRevision, {});
      return { saving: begun };
    });
    return saving;
  }

  it('is judged again, and refused for a reader that was not there', async () => {
    const { without } = await chain('overtaken');
    await shop.pipelines.delete({ namespace: shop.name, name: 'overtaken_reader' });
    const { message } = blocked(await overtaken(() => shop.otherPipelines.save({ spec: without }), 'overtaken_reader'));
    expect(message).toContain(`The change breaks the job ${shop.name}/overtaken_reader; nothing was saved.`);
    expect(await versionOf('overtaken')).toBe(1);
  });

  it('is refused when it was acknowledged for fewer readers, and nobody has answered for it', async () => {
    const { without } = await chain('outgrown');
    await shop.save(maker('outgrown_second', 'mart.outgrown', { id: 'id', amount: 'amount' }));
    await shop.pipelines.delete({ namespace: shop.name, name: 'outgrown_second' });
    const { report } = blocked(await shop.pipelines.save({ spec: without }));
    const saving = () => shop.otherPipelines.save({ spec: without, acknowledge: report.id });
    const { message } = blocked(await overtaken(saving, 'outgrown_second'));
    expect(message).toContain(`Since report ${report.id} was made, what the change does to others has changed. The change breaks 2 jobs:`);
    expect(await versionOf('outgrown')).toBe(1);
    expect(await shop.audit.ofPipeline({ namespace: shop.name, name: 'outgrown' })).toEqual([]);
  });

  it('is saved when what has changed concerns others', async () => {
    const { without } = await chain('apart');
    await chain('elsewhere');
    for (const name of ['apart_reader', 'elsewhere_reader']) await shop.pipelines.delete({ namespace: shop.name, name });
    expect(await overtaken(() => shop.otherPipelines.save({ spec: without }), 'elsewhere_reader')).toMatchObject({
      outcome: 'saved',
      pipeline: { version: 2 },
    });
  });
});

describe('reading what is planned only', () => {
  it('can be incremental and by its key, as the producer will make it', async () => {
    await shop.save(maker('planned', 'public.orders', { id: 'id', amount: 'amount', changed: 'changed' }));
    const inputs = (cursor: string): Row => ({ read: { connection: shop.name, stream: 'mart.planned', incremental: { cursor, nulls: 'include' } } });
    const reader = (cursor: string): Row => maker('planned_reader', '', { id: 'id', amount: 'amount' }, { inputs: inputs(cursor) });
    expect(await shop.pipelines.save({ spec: reader('changed') })).toMatchObject({ outcome: 'saved' });
    expect(await shop.pipelines.save({ spec: reader('missing') })).toMatchObject({ outcome: 'invalid' });
  });
});
