import { describe, expect, it } from '@jest/globals';
import { summarize } from '../../../../src/lineage/impact/summary.js';
import type { ImpactFinding } from '../../../../src/model/impact.js';

function finding(more: Partial<ImpactFinding>): ImpactFinding {
  const node = { kind: 'COLUMN' as const, id: 'col_1', key: 'shop/orders.email', namespace: 'shop' };
  return { ...node, severity: 'STALE', code: 'UPSTREAM_BREAKS', reason: 'It is stale.', depth: 1, path: [node], owners: [], tags: [], ...more };
}

const findings = [
  finding({ tags: ['gdpr', 'pii'] }),
  finding({ tags: ['pii'] }),
  finding({ severity: 'BREAKS', kind: 'JOB', owners: ['ada', 'bob'] }),
  finding({ severity: 'CHANGES_VALUES', tags: ['pii'], owners: ['ada'] }),
];

describe('a summary', () => {
  it('by tag counts a finding once for each of its tags, and one without tags for none', () => {
    expect(summarize(findings, 'TAG')).toEqual([
      { key: 'gdpr', severity: 'STALE', count: 1 },
      { key: 'pii', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'pii', severity: 'STALE', count: 2 },
    ]);
  });

  it('by owner does so with owners', () => {
    expect(summarize(findings, 'OWNER')).toEqual([
      { key: 'ada', severity: 'BREAKS', count: 1 },
      { key: 'ada', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'bob', severity: 'BREAKS', count: 1 },
    ]);
  });

  it('by kind counts every finding once', () => {
    expect(summarize(findings, 'KIND')).toEqual([
      { key: 'COLUMN', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'COLUMN', severity: 'STALE', count: 2 },
      { key: 'JOB', severity: 'BREAKS', count: 1 },
    ]);
  });

  it('by namespace counts every finding once, under its own namespace', () => {
    const elsewhere = [finding({ namespace: 'finance' }), finding({ namespace: 'finance', severity: 'NONE' })];
    expect(summarize([...elsewhere, ...findings], 'NAMESPACE')).toEqual([
      { key: 'finance', severity: 'STALE', count: 1 },
      { key: 'finance', severity: 'NONE', count: 1 },
      { key: 'shop', severity: 'BREAKS', count: 1 },
      { key: 'shop', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'shop', severity: 'STALE', count: 2 },
    ]);
  });

  it('by severity counts every finding once, and no severity that nothing has', () => {
    expect(summarize(findings, 'SEVERITY')).toEqual([
      { key: 'BREAKS', severity: 'BREAKS', count: 1 },
      { key: 'CHANGES_VALUES', severity: 'CHANGES_VALUES', count: 1 },
      { key: 'STALE', severity: 'STALE', count: 2 },
    ]);
    expect(summarize([], 'SEVERITY')).toEqual([]);
  });
});
