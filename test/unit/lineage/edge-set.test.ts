import { describe, expect, it } from '@jest/globals';
import { edgeChanges, edgeSetHash, edgesOf } from '../../../src/lineage/edge-set.js';
import type { JobEdge } from '../../../src/model/job-edge.js';
import type { OutputLineage, Transformation } from '../../../src/model/lineage.js';

const orders = { namespace: 'shop', name: 'orders' };
const mart = { namespace: 'shop', name: 'mart' };
const identity: Transformation = { type: 'DIRECT', subtype: 'IDENTITY', expression: null, masking: false, step: null };
const doubled: Transformation = { ...identity, subtype: 'TRANSFORMATION', expression: 'amount * 2', step: 'shaped' };
const filtered: Transformation = { ...identity, type: 'INDIRECT', subtype: 'FILTER', expression: "status = 'paid'", step: 'paid' };

const lineage: OutputLineage = {
  output: mart,
  inputs: [orders],
  columns: [
    { from: { dataset: orders, name: 'id' }, to: 'id', transformations: [identity] },
    { from: { dataset: orders, name: 'amount' }, to: 'total', transformations: [doubled] },
  ],
  influences: [{ from: { dataset: orders, name: 'status' }, transformations: [filtered] }],
};
const ids = { dataset: ({ name }: { name: string }) => name, column: ({ name }: { name: string }, column: string) => `${name}.${column}` };

describe('the hash of an edge set', () => {
  it('does not depend on the order of its edges', () => {
    expect(edgeSetHash({ ...lineage, columns: [...lineage.columns].reverse() })).toBe(edgeSetHash(lineage));
  });

  it.each([
    ['an edge', { ...lineage, columns: lineage.columns.slice(1) }],
    ['an influence', { ...lineage, influences: [] }],
    ['an input', { ...lineage, inputs: [orders, mart] }],
    ['a transformation', { ...lineage, influences: [{ from: { dataset: orders, name: 'status' }, transformations: [{ ...filtered, expression: 'true' }] }] }],
  ])('changes with %s', (_, changed) => {
    expect(edgeSetHash(changed)).not.toBe(edgeSetHash(lineage));
  });
});

describe('the edges of an output', () => {
  it('are column edges, influences once per dataset, and the dataset edge with the types of both', () => {
    expect(edgesOf(lineage, ids).map(({ kind, fromId, toId, types }) => [kind, fromId, toId, types])).toEqual([
      ['DERIVES', 'orders.id', 'mart.id', ['DIRECT']],
      ['DERIVES', 'orders.amount', 'mart.total', ['DIRECT']],
      ['INFLUENCES', 'orders.status', 'mart', ['INDIRECT']],
      ['FEEDS', 'orders', 'mart', ['DIRECT', 'INDIRECT']],
    ]);
  });

  it('stated twice are one, with the transformations of both in their order', () => {
    const from = { dataset: orders, name: 'amount' };
    const [edge] = edgesOf(
      { ...lineage, inputs: [], influences: [], columns: [doubled, identity, doubled].map((one) => ({ from, to: 'total', transformations: [one] })) },
      ids,
    );
    expect(JSON.parse(edge?.transformations ?? '')).toEqual([doubled, identity]);
  });
});

describe('the changes of edges', () => {
  const open: JobEdge[] = edgesOf(lineage, ids).map((edge, index) => ({ ...edge, id: `edge_${index}` }));

  it('are none when nothing has changed', () => {
    expect(edgeChanges(open, edgesOf(lineage, ids))).toEqual({ opened: [], closed: [] });
  });

  it('close what is gone and open what is new; other transformations are both', () => {
    const changed = {
      ...lineage,
      columns: [lineage.columns[0], { from: { dataset: orders, name: 'amount' }, to: 'total', transformations: [identity] }],
    } as OutputLineage;
    const { opened, closed } = edgeChanges(open, edgesOf({ ...changed, influences: [] }, ids));
    expect(opened.map(({ kind, fromId }) => [kind, fromId])).toEqual([
      ['DERIVES', 'orders.amount'],
      ['FEEDS', 'orders'],
    ]);
    expect(closed.map(({ id }) => id)).toEqual(['edge_1', 'edge_2', 'edge_3']);
  });
});
