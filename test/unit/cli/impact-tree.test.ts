import { describe, expect, it } from '@jest/globals';
import { drawImpact, type ImpactOfChange } from '../../../src/cli/impact-tree.js';

type Item = ImpactOfChange['jobs']['edges'][number]['node'];

function job(name: string, depth: number, item: Partial<Item>): Item {
  const node = { id: `job_${name}`, displayName: name, namespace: 'shop' };
  return { node, severity: 'NONE', code: 'NOT_USED', reason: 'It does not use it.', depth, path: [{ id: node.id, kind: 'JOB' }], owners: [], ...item };
}

function column(name: string, by: string, item: Partial<Item>): Item {
  const node = { id: `col_${name}`, displayName: name };
  const path = [
    { id: `job_${by}`, kind: 'JOB' },
    { id: node.id, kind: 'COLUMN' },
  ];
  return { node, severity: 'STALE', code: 'UPSTREAM_BREAKS', reason: '', depth: 1, path, owners: [], ...item };
}

function items(found: readonly Item[], totalCount = found.length): ImpactOfChange['jobs'] {
  return { edges: found.map((node) => ({ node })), totalCount };
}

describe('the tree of an impact report', () => {
  it('begins with the verdict, then has the jobs by wave with their columns, then blind spots and what is safe', () => {
    const lines = drawImpact('Dropping shop.public.orders.amount', {
      verdict: 'BREAKS',
      jobs: items([
        job('orders_mart', 1, {
          severity: 'BREAKS',
          code: 'COLUMN_READ',
          reason:
            'Job shop/orders_mart cannot run: step "shaped" reads column "amount" of shop.public.orders for "total", and the column would not be there any more.',
          owners: ['data-team', 'ada'],
        }),
        job('sums', 1, { severity: 'CHANGES_VALUES', code: 'TURNS_NULL', reason: 'Column "amount" turns NULL.' }),
        job('report', 2, { severity: 'STALE', code: 'UPSTREAM_BREAKS', reason: 'shop/orders_mart breaks.', owners: ['finance'] }),
        job('names', 1, { reason: 'Job shop/names does not use column "amount".' }),
      ]),
      written: items([
        column('mart.orders.order_id', 'orders_mart', {}),
        column('mart.orders.total', 'orders_mart', {}),
        column('mart.report.sum', 'report', {}),
      ]),
      blindSpots: [{ id: 'job_x', displayName: 'custom', namespace: 'other' }],
      truncated: [],
    });
    expect(lines.join('\n')).toBe(
      [
        'Dropping shop.public.orders.amount BREAKS jobs downstream',
        '',
        'Wave 1',
        '├─ BREAKS  shop/orders_mart  COLUMN_READ  (data-team, ada)',
        '│     Job shop/orders_mart cannot run: step "shaped" reads column "amount" of',
        '│     shop.public.orders for "total", and the column would not be there any more.',
        '│  ├─ mart.orders.order_id  STALE  UPSTREAM_BREAKS',
        '│  └─ mart.orders.total  STALE  UPSTREAM_BREAKS',
        '└─ CHANGES VALUES  shop/sums  TURNS_NULL',
        '      Column "amount" turns NULL.',
        '',
        'Wave 2',
        '└─ STALE  shop/report  UPSTREAM_BREAKS  (finance)',
        '      shop/orders_mart breaks.',
        '   └─ mart.report.sum  STALE  UPSTREAM_BREAKS',
        '',
        'Could not be judged',
        '  other/custom',
        '',
        'Safe',
        '  Job shop/names does not use column "amount".',
      ].join('\n'),
    );
  });

  it('says that a change is safe, what is left out and what was not looked at', () => {
    const lines = drawImpact('Dropping shop.public.orders.note', {
      verdict: 'NONE',
      jobs: items([], 1_300),
      written: items([]),
      blindSpots: [],
      truncated: ['MAX_DEPTH'],
    });
    expect(lines).toEqual([
      'Dropping shop.public.orders.note is SAFE: nothing downstream is affected',
      '',
      '1,300 more jobs are in the report.',
      '',
      'Not everything was looked at: MAX_DEPTH.',
    ]);
  });

  it('keeps lines within 96 characters', () => {
    const long = job('a'.repeat(120), 1, { severity: 'BREAKS', reason: 'b'.repeat(120) });
    const lines = drawImpact('Dropping x', { verdict: 'BREAKS', jobs: items([long]), written: items([]), blindSpots: [], truncated: [] });
    expect(Math.max(...lines.map((line) => line.length))).toBe(96);
  });
});
