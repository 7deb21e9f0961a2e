import { describe, expect, it } from '@jest/globals';
import type { Change, ImpactReport } from '../../../../src/model/impact.js';
import { filter, job, map, next, source } from './impact-cases.js';
import { changedSpecs, type ImpactShop, type JobDocument, judge, openShop, report } from './impact-shop.js';

const madeOut = { id: 'integer!', note: 'character varying(20)', status: 'integer' };

function found({ findings }: ImpactReport): Record<string, string> {
  return Object.fromEntries(findings.map(({ key, severity, code }) => [key.replace('postgres://localhost:5432/', ''), `${severity} ${code}`]));
}

async function changed(shop: ImpactShop, ...jobs: readonly JobDocument[]): Promise<Record<string, string>> {
  return found(await report(shop, changedSpecs(...jobs)));
}

describe('a document that is saved anew', () => {
  it('has no finding when it is the same', async () => {
    const before = job([map({ id: 'id', note: 'note' })]);
    const shop = await openShop(source, [before, next([map({ n: 'note' }, 'before')])]);
    expect(await changed(shop, before)).toEqual({});
  });

  it('has no finding when only steps are called otherwise', async () => {
    const shop = await openShop(source, [job([map({ id: 'id', t: 'upper(note)' }, 'orders', 'one')]), next([map({ t: 't' }, 'before')])]);
    expect(await changed(shop, job([map({ id: 'id', t: 'upper(note)' }, 'orders', 'other')]))).toEqual({});
  });

  it('turns NULL what it no longer writes into a table that is there', async () => {
    const shop = await openShop({ ...source, 'mart.out': madeOut }, [
      job([map({ id: 'id', note: 'note', status: 'status' })]),
      next([map({ n: 'note' }, 'before')]),
    ]);
    expect(await changed(shop, job([map({ id: 'id', status: 'status' })]))).toMatchObject({
      'shop/next': 'CHANGES_VALUES NULL_READ',
      'shop.mart.out.note': 'CHANGES_VALUES TURNS_NULL',
    });
  });

  it('sees two columns that are swapped on the way', async () => {
    const steps = (a: string, b: string) => [map({ a, b }, 'orders', 'one'), map({ t: 'a - b' }, 'one', 'two')];
    const shop = await openShop(source, [job(steps('id + 1', 'status + 1')), next([map({ t: 't' }, 'before')])]);
    expect(await changed(shop, job(steps('status + 1', 'id + 1')))).toMatchObject({ 'shop/next': 'CHANGES_VALUES VALUES_READ' });
  });

  it('changes all values where a filter changes', async () => {
    const shop = await openShop(source, [job([filter('status = 1'), map({ id: 'id' }, 'kept')]), next([map({ id: 'id' }, 'before')])]);
    expect(await changed(shop, job([filter('status = 2'), map({ id: 'id' }, 'kept')]))).toMatchObject({
      'shop.mart.out': 'CHANGES_VALUES ROWS_CHANGED',
      'shop/next': 'CHANGES_VALUES VALUES_READ',
    });
  });

  it('changes all values where a join becomes another', async () => {
    const joined = (kind: string) =>
      job([{ id: 'j', join: { left: 'orders', right: 'customers', kind, on: 'orders.customer_id = customers.id', columns: { id: 'orders.id' } } }]);
    const shop = await openShop(source, [joined('left'), next([map({ id: 'id' }, 'before')])]);
    expect(await changed(shop, joined('inner'))).toMatchObject({ 'shop/next': 'CHANGES_VALUES VALUES_READ' });
  });

  it('leaves stale what it writes no more', async () => {
    const shop = await openShop(source, [job([map({ id: 'id' })]), next([map({ id: 'id' }, 'before')])]);
    expect(await changed(shop, job([map({ id: 'id' })], undefined, 'mart.elsewhere'))).toEqual({
      'shop.mart.out': 'STALE OUTPUT_REMOVED',
      'shop/next': 'STALE OUTPUT_REMOVED',
      'shop.mart.next': 'STALE UPSTREAM_BREAKS',
    });
  });

  it('adds rows to a table that another job reads', async () => {
    const shop = await openShop({ ...source, 'mart.out': { id: 'integer' } }, [job([map({ id: 'id' })]), next([map({ id: 'id' }, 'before')])]);
    expect(await changed(shop, job([map({ id: 'id' })], undefined, 'mart.out', 'another'))).toMatchObject({ 'shop/next': 'CHANGES_VALUES VALUES_READ' });
  });

  it('does not break a reader that is changed with it', async () => {
    const shop = await openShop(source, [job([map({ id: 'id', note: 'note' })]), next([map({ n: 'note' }, 'before')])]);
    const both = await judge(shop, changedSpecs(job([map({ id: 'id', remark: 'note' })]), next([map({ n: 'remark' }, 'before')])));
    expect(both).toMatchObject({ outcome: 'judged', report: { verdict: 'CHANGES_VALUES' } });
  });

  it('is invalid together with one that it does not fit', async () => {
    const shop = await openShop(source, [job([map({ id: 'id', note: 'note' })]), next([map({ n: 'note' }, 'before')])]);
    const both = await judge(shop, changedSpecs(job([map({ id: 'id' })]), next([map({ n: 'upper(note)' }, 'before')])));
    expect(both).toMatchObject({ outcome: 'invalid', issues: [{ spec: 1 }] });
  });
});

describe('a report', () => {
  const chain = [job([]), next([map({ n: 'note' }, 'before')]), next([map({ n: 'n' }, 'before')], 'mart.next', 'mart.last', 'last')];
  const change = { kind: 'dropColumn', column: { namespace: 'postgres://localhost:5432', dataset: 'shop.public.orders', name: 'note' } } as const;

  it('counts jobs on the way and names one shortest path', async () => {
    const { findings, verdict } = await report(await openShop(source, chain), change);
    const last = findings.find(({ key }) => key === 'shop/last');
    expect(verdict).toBe('BREAKS');
    expect(last).toMatchObject({ depth: 3, owners: ['last-team'] });
    expect(last?.path.map(({ key }) => key.replace('postgres://localhost:5432/', ''))).toEqual([
      'shop.public.orders.note',
      'shop/report',
      'shop.mart.out.note',
      'shop/next',
      'shop.mart.next',
      'shop/last',
    ]);
  });

  describe('of what is reached in several ways', () => {
    const joining = (left: string, right: string, columns: Readonly<Record<string, string>>): JobDocument => ({
      name: 'both',
      inputs: { a: { connection: 'shop', stream: left }, b: { connection: 'shop', stream: right } },
      steps: [{ id: 'j', join: { left: 'a', right: 'b', kind: 'inner', on: 'a.id = b.id', columns } }],
      outputs: [{ from: 'j', connection: 'shop', stream: 'mart.both', load: { mode: 'append' } }],
    });
    const short = job([], undefined, 'mart.short', 'short');
    const long = [job([], undefined, 'mart.one', 'one'), next([], 'mart.one', 'mart.two', 'two'), next([], 'mart.two', 'mart.long', 'long')];
    const wayTo = async (jobs: readonly JobDocument[], of: Change, key: string) => {
      const { findings } = await report(await openShop(source, jobs), of);
      const { depth, path = [] } = findings.find((one) => one.key.endsWith(key)) ?? {};
      return { depth, path: path.map((node) => node.key.replace('postgres://localhost:5432/', '')) };
    };

    it.each([
      ['first', joining('mart.short', 'mart.long', { x: 'a.note', y: 'b.note' })],
      ['last', joining('mart.long', 'mart.short', { x: 'a.note', y: 'b.note' })],
    ])('gives the shorter way, where it is read %s', async (_, both) => {
      const path = ['shop.public.orders.note', 'shop/short', 'shop.mart.short.note', 'shop/both'];
      expect(await wayTo([...long, short, both], change, 'shop/both')).toEqual({ depth: 2, path });
      expect(await wayTo([short, ...long, both], change, 'shop/both')).toEqual({ depth: 2, path });
    });

    it('gives the way from the source itself, where that is read too', async () => {
      const path = ['shop.public.orders.note', 'shop/both'];
      expect(await wayTo([...long, joining('mart.long', 'public.orders', { x: 'a.note', y: 'b.note' })], change, 'shop/both')).toEqual({ depth: 1, path });
    });

    it('gives the shorter way of other values, to the job and on to what it makes', async () => {
      const retyped: Change = { kind: 'retypeColumn', column: { ...change.column, name: 'status' }, to: 'numeric(12,2)' };
      const text = { s: 'CAST(status AS VARCHAR)', id: 'id' };
      const far = [job([map(text)], undefined, 'mart.one', 'one'), next([], 'mart.one', 'mart.far', 'far')];
      const near = job([map(text)], undefined, 'mart.near', 'near');
      const both = joining('mart.far', 'mart.near', { s: 'a.s || b.s' });
      const path = ['shop.public.orders.status', 'shop/near', 'shop.mart.near.s', 'shop/both'];
      expect(await wayTo([...far, near, both], retyped, 'shop/both')).toEqual({ depth: 2, path });
      expect(await wayTo([...far, near, both], retyped, 'shop.mart.both.s')).toEqual({ depth: 2, path: [...path, 'shop.mart.both.s'] });
    });

    it('begins at the job whose own document computes a column in another way, whatever else is saved with it', async () => {
      const before = [job([map({ id: 'id', t: 'upper(note)' })]), next([map({ id: 'id', t: 't' }, 'before')])];
      const after = changedSpecs(job([map({ id: 'id', t: 'lower(note)' })]), next([map({ id: 'id', t: `t || '!'` }, 'before')]));
      expect(await wayTo(before, after, 'shop.mart.next.t')).toEqual({ depth: 0, path: ['shop/next', 'shop.mart.next.t'] });
      const retyped = changedSpecs(job([map({ id: 'id', t: 'lower(note)' })]), next([map({ id: 'id', t: 'length(t)' }, 'before')]));
      expect(await wayTo(before, retyped, 'shop.mart.next.t')).toEqual({ depth: 0, path: ['shop/next', 'shop.mart.next.t'] });
      const filtered = changedSpecs(
        job([filter('status = 1'), map({ id: 'id', t: 'upper(note)' }, 'kept')]),
        next([filter('id > 1', 'before'), map({ id: 'id', t: 't' }, 'kept')]),
      );
      expect(await wayTo(before, filtered, 'shop.mart.next')).toEqual({ depth: 0, path: ['shop/next', 'shop.mart.next'] });
    });
  });

  it('names job, step and column in one sentence', async () => {
    const { findings } = await report(await openShop(source, chain), change);
    const reason = findings.find(({ key }) => key === 'shop/next')?.reason ?? '';
    for (const part of ['shop/next', 'step "shaped"', 'column "note"', 'is gone']) expect(reason).toContain(part);
    expect(reason.endsWith('.')).toBe(true);
  });

  it('says that it does not look behind its depth', async () => {
    const { findings, truncated } = await report(await openShop(source, chain), change, 1);
    expect(findings.filter(({ kind }) => kind === 'JOB').map(({ key }) => key)).toEqual(['shop/report']);
    expect(truncated).toEqual(['MAX_DEPTH']);
  });

  it('has the same hash for the same findings, and another for others', async () => {
    const shop = await openShop(source, chain);
    const [one, two, other] = [await report(shop, change), await report(shop, change), await report(shop, change, 1)];
    expect(one.findingsHash).toBe(two.findingsHash);
    expect(one.findingsHash).not.toBe(other.findingsHash);
  });

  it('never says that a job which does not compile is unaffected', async () => {
    const shop = await openShop(source, [job([map({ id: 'id', note: 'note' })]), next([map({ id: 'id' }, 'before')])]);
    const orders = shop.tables.get('postgres://localhost:5432/shop.public.orders');
    if (orders) shop.tables.set('postgres://localhost:5432/shop.public.orders', { ...orders, columns: orders.columns.filter(({ name }) => name !== 'id') });
    const { findings, blindSpots } = await report(shop, change);
    expect(findings).toEqual([]);
    expect(blindSpots.map(({ key }) => key)).toEqual(['shop/next', 'shop/report']);
  });

  describe('about a job that reads beside what changes what a job writes that cannot be judged', () => {
    const joined = (name: string, left: string, right: string, to: string, columns: Readonly<Record<string, string>>): JobDocument => ({
      name,
      inputs: { a: { connection: 'shop', stream: left }, b: { connection: 'shop', stream: right } },
      steps: [{ id: 'j', join: { left: 'a', right: 'b', kind: 'left', on: 'a.id = b.id', columns } }],
      outputs: [{ from: 'j', connection: 'shop', stream: to, load: { mode: 'append' } }],
    });

    async function found(columns: Readonly<Record<string, string>>, of: Change): Promise<ImpactReport> {
      const shop = await openShop(source, [
        joined('feed', 'public.orders', 'public.customers', 'mart.out', { id: 'a.id', country: 'b.country', n: 'a.note', s: 'a.status' }),
        joined('both', 'public.orders', 'mart.out', 'mart.both', { id: 'a.id', ...columns }),
      ]);
      const customers = shop.tables.get('postgres://localhost:5432/shop.public.customers');
      if (customers) shop.tables.set('postgres://localhost:5432/shop.public.customers', { ...customers, columns: [] });
      return report(shop, of);
    }

    const jobsOf = ({ findings, blindSpots }: ImpactReport) => [
      findings.filter(({ kind }) => kind === 'JOB').map(({ key, severity }) => `${key} ${severity}`),
      blindSpots.map(({ key }) => key),
    ];

    it('says that it breaks where it does', async () => {
      const broken = await found({ note: 'a.note' }, change);
      expect(broken.verdict).toBe('BREAKS');
      expect(jobsOf(broken)).toEqual([['shop/both BREAKS'], ['shop/feed']]);
    });

    it('says what is known of it, and that there may be more', async () => {
      const retyped = { kind: 'retypeColumn', column: { ...change.column, name: 'status' }, to: 'numeric(30,5)' } as const;
      expect(jobsOf(await found({ status: 'a.status + 1' }, retyped))).toEqual([['shop/both CHANGES_VALUES'], ['shop/both', 'shop/feed']]);
    });

    it('does not say that it is unaffected', async () => {
      expect(jobsOf(await found({ customer_id: 'a.customer_id' }, change))).toEqual([[], ['shop/both', 'shop/feed']]);
    });
  });
});
