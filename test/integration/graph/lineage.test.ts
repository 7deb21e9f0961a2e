import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LineageAnswer, LineageQuery } from '../../../src/model/lineage-query.js';
import { type Drawing, type Drawn, draw } from './drawn-lineage.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
let drawn: Drawn;

/** raw → staged → mart, with a filter on staged.status; report and mart feed each other; plan only by DECLARED. */
const drawing: Drawing = {
  datasets: { raw: ['id', 'email', 'unused'], staged: ['id', 'email', 'status'], mart: ['id', 'mail'], report: ['mail'], plan: ['id'] },
  edges: [
    { from: 'raw.id', to: 'staged.id', job: 'stage' },
    { from: 'raw.email', to: 'staged.email', job: 'stage' },
    { from: 'staged.id', to: 'mart.id', job: 'build' },
    { from: 'staged.email', to: 'mart.mail', job: 'build' },
    { from: 'staged.status', to: 'mart', job: 'build' },
    { from: 'mart.mail', to: 'report.mail', job: 'tell' },
    { from: 'report.mail', to: 'mart.mail', job: 'back' },
    { from: 'mart.id', to: 'plan.id', job: 'plan', source: 'DECLARED' },
  ],
};

beforeAll(async () => {
  shop = await openShop('lineage');
  drawn = await draw(shop, drawing, (dataset) => (dataset === 'report' ? '-reports' : ''));
});
afterAll(() => shop.close());

function ask(start: string | readonly string[], query: Partial<LineageQuery> = {}): Promise<LineageAnswer> {
  const of = [start].flat().map((name) => ({ id: drawn.id(name) }));
  return shop.lineage.graph({ of, direction: 'DOWNSTREAM', level: 'COLUMN', maxDepth: null, maxNodes: 1000, filter: null, ...query });
}

function depthsOf({ hits }: LineageAnswer): Record<string, number> {
  return Object.fromEntries(hits.map(({ nodeId, depth }) => [drawn.name(nodeId), depth]));
}

function edgesOf({ edges }: LineageAnswer): string[] {
  return edges.map(({ fromId, toId }) => `${drawn.name(fromId)} > ${drawn.name(toId)}`).sort();
}

describe('column lineage', () => {
  it('goes downstream through columns and influenced datasets', async () => {
    const answer = await ask('staged.status');
    expect(depthsOf(answer)).toEqual({ mart: 1, 'mart.id': 1, 'mart.mail': 1, 'report.mail': 2 });
    expect(edgesOf(answer)).toEqual(['mart.mail > report.mail', 'report.mail > mart.mail', 'staged.status > mart']);
    expect(answer).toMatchObject({
      totalNodes: 4,
      truncated: [],
      start: [drawn.id('staged.status')],
      cycles: [[drawn.id('mart.mail'), drawn.id('report.mail')]],
    });
    expect(answer.revision).toBe(String(await shop.revision()));
  });

  it('goes upstream to what a column is made of and what influences its dataset, without counting the dataset', async () => {
    const answer = await ask('mart.id', { direction: 'UPSTREAM' });
    expect(depthsOf(answer)).toEqual({ 'staged.id': 1, 'staged.status': 1, 'raw.id': 2 });
    expect(edgesOf(answer)).toEqual(['raw.id > staged.id', 'staged.id > mart.id', 'staged.status > mart']);
  });

  it('goes both ways from a column', async () => {
    expect(depthsOf(await ask('staged.email', { direction: 'BOTH' }))).toEqual({ 'raw.email': 1, 'mart.mail': 1, 'report.mail': 2 });
  });

  it('starts at all columns of a dataset', async () => {
    const down = await ask('staged');
    expect(down.start.map(drawn.name)).toEqual(['staged.id', 'staged.email', 'staged.status']);
    expect(depthsOf(down)).toEqual({ mart: 1, 'mart.id': 1, 'mart.mail': 1, 'report.mail': 2 });
    expect(depthsOf(await ask('staged', { direction: 'UPSTREAM' }))).toEqual({ 'raw.id': 1, 'raw.email': 1 });
    expect(depthsOf(await ask('mart', { direction: 'UPSTREAM', maxDepth: 1 }))).toEqual({
      'staged.id': 1,
      'staged.email': 1,
      'staged.status': 1,
      'report.mail': 1,
    });
  });

  it('starts at a job: what it writes is one away downstream, what it reads one away upstream', async () => {
    const down = await ask('build');
    expect(down.start).toEqual([drawn.id('build')]);
    expect(depthsOf(down)).toEqual({ 'mart.id': 1, 'mart.mail': 1, 'report.mail': 2 });
    const up = await ask('build', { direction: 'UPSTREAM' });
    expect(depthsOf(up)).toEqual({ 'staged.id': 1, 'staged.email': 1, 'staged.status': 1, 'raw.id': 2, 'raw.email': 2 });
    const both = await ask('build', { direction: 'BOTH', maxDepth: 1 });
    expect(depthsOf(both)).toEqual({ 'staged.id': 1, 'staged.email': 1, 'staged.status': 1, 'mart.id': 1, 'mart.mail': 1 });
    expect(edgesOf(both)).toEqual(['staged.email > mart.mail', 'staged.id > mart.id', 'staged.status > mart']);
  });

  it('keeps maxDepth exactly and says when something lies beyond', async () => {
    expect(await ask('raw.email', { maxDepth: 0 })).toMatchObject({ hits: [], edges: [], totalNodes: 0, truncated: ['MAX_DEPTH'] });
    expect(depthsOf(await ask('raw.email', { maxDepth: 1 }))).toEqual({ 'staged.email': 1 });
    expect(depthsOf(await ask('raw.email', { maxDepth: 2 }))).toEqual({ 'staged.email': 1, 'mart.mail': 2 });
    expect(await ask('raw.email', { maxDepth: 3 })).toMatchObject({ totalNodes: 3, truncated: [] });
    expect(depthsOf(await ask('staged', { maxDepth: 1 }))).toEqual({ mart: 1, 'mart.id': 1, 'mart.mail': 1 });
  });

  it('shows at most maxNodes, the nearest, and counts all', async () => {
    const answer = await ask('staged.status', { maxNodes: 3 });
    expect(depthsOf(answer)).toEqual({ mart: 1, 'mart.id': 1, 'mart.mail': 1 });
    expect(answer).toMatchObject({ totalNodes: 4, truncated: ['MAX_NODES'] });
    expect(edgesOf(answer)).toEqual(['staged.status > mart']);
  });

  it('shows what ran unless asked for what is declared, and both when both are asked for', async () => {
    expect(depthsOf(await ask('mart.id'))).toEqual({});
    expect(depthsOf(await ask('mart.id', { filter: { evidence: ['DECLARED'] } }))).toEqual({ 'plan.id': 1 });
    const both = await ask('raw.id', { filter: { evidence: ['DECLARED', 'EXECUTED'] } });
    expect(depthsOf(both)).toEqual({ 'staged.id': 1, 'mart.id': 2, 'plan.id': 3 });
    expect(both.edges.map(({ evidence }) => evidence).sort()).toEqual(['DECLARED', 'EXECUTED', 'EXECUTED']);
  });

  it('reaches nothing through an excluded edge or node', async () => {
    expect(depthsOf(await ask('staged.status', { filter: { edgeTypes: ['DIRECT'] } }))).toEqual({});
    expect(depthsOf(await ask('staged.email', { filter: { edgeTypes: ['INDIRECT'] } }))).toEqual({});
    expect(depthsOf(await ask('mart.id', { direction: 'UPSTREAM', filter: { edgeTypes: ['INDIRECT'] } }))).toEqual({ 'staged.status': 1 });
    expect(depthsOf(await ask('staged', { filter: { namespaces: [drawn.namespace] } }))).toEqual({ mart: 1, 'mart.id': 1, 'mart.mail': 1 });
    expect(depthsOf(await ask('staged', { filter: { namespaces: ['elsewhere'] } }))).toEqual({});
    expect(depthsOf(await ask('report', { direction: 'UPSTREAM', filter: { namespaces: [drawn.namespace] } }))).toMatchObject({
      'mart.mail': 1,
      'raw.email': 3,
    });
  });
});

describe('dataset lineage', () => {
  const datasets = { level: 'DATASET' } as const;

  it('counts datasets, downstream, upstream and both ways', async () => {
    expect(depthsOf(await ask('raw', datasets))).toEqual({ staged: 1, mart: 2, report: 3 });
    expect(depthsOf(await ask('report', { ...datasets, direction: 'UPSTREAM' }))).toEqual({ mart: 1, staged: 2, raw: 3 });
    const both = await ask('mart', { ...datasets, direction: 'BOTH' });
    expect(depthsOf(both)).toEqual({ report: 1, staged: 1, raw: 2 });
    expect(edgesOf(both)).toEqual(['mart > report', 'raw > staged', 'report > mart', 'staged > mart']);
    expect(both.cycles).toEqual([[drawn.id('mart'), drawn.id('report')]]);
  });

  it('starts at the dataset of a column, and at a job', async () => {
    const column = await ask('raw.unused', { ...datasets, maxDepth: 1 });
    expect(column).toMatchObject({ start: [drawn.id('raw')], totalNodes: 1, truncated: ['MAX_DEPTH'] });
    expect(depthsOf(await ask('build', datasets))).toEqual({ mart: 1, report: 2 });
    expect(depthsOf(await ask('build', { ...datasets, direction: 'UPSTREAM' }))).toEqual({ staged: 1, raw: 2 });
  });

  it('takes the nearest of several starts', async () => {
    expect(depthsOf(await ask(['raw', 'mart'], datasets))).toEqual({ staged: 1, report: 1 });
  });

  it('is pruned by filters', async () => {
    expect(depthsOf(await ask('raw', { ...datasets, filter: { namespaces: [drawn.namespace] } }))).toEqual({ staged: 1, mart: 2 });
    expect(depthsOf(await ask('mart', { ...datasets, filter: { evidence: ['DECLARED'] } }))).toEqual({ plan: 1 });
  });
});

describe('a lineage question', () => {
  it.each([
    [{ maxDepth: -1 }, '`maxDepth` is -1; it must be a whole number, at least 0.'],
    [{ maxNodes: 0 }, '`maxNodes` is 0; it must be a whole number from 1 to 200000.'],
    [{ maxNodes: 200_001 }, '`maxNodes` is 200001; it must be a whole number from 1 to 200000.'],
    [{ of: [] }, '`of` names 0 nodes; it must name 1 to 1000.'],
    [{ of: [{ id: 'a', run: 'b' }] }, 'A node is named by exactly one of id, dataset, column, job, run; id and run are given.'],
  ])('with %j is refused', async (query, message) => {
    await expect(ask('raw', query)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message });
  });

  it('about what is not there is NOT_FOUND', async () => {
    await expect(ask('raw', { of: [{ dataset: { namespace: 'no', name: 'where' } }] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('may name its start by key', async () => {
    const { namespace } = drawn;
    const byKey = { of: [{ column: { namespace, dataset: 'raw', name: 'id' } }, { dataset: { namespace, name: 'mart' } }] };
    expect((await ask('raw', byKey)).start.map(drawn.name)).toEqual(['raw.id', 'mart.id', 'mart.mail']);
    expect((await ask('raw', { of: [{ job: { namespace, name: drawn.id('build') } }] })).start).toEqual([drawn.id('build')]);
  });

  it('about a run is refused', async () => {
    const runId = '0192f0c1-0000-7000-8000-000000000000';
    await shop.query(
      `MATCH (job:Job {id: $jobId}) MERGE (run:Run {id: $runId}) ON CREATE SET run.state = 'ABORT', run.pipelineId = job.id, run.pipelineVersion = 1, run.trigger = 'test',
       run.attempt = 0, run.epoch = 0, run.queuedAt = datetime('2024-01-01T00:00:00Z'), run.metrics = '{}', run.steps = '[]' MERGE (run)-[:OF]->(job)`,
      { jobId: drawn.id('build'), runId },
    );
    await expect(ask('raw', { of: [{ run: runId }] })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('cannot be a start of lineage'),
    });
    await expect(ask('raw', { of: [{ run: drawn.id('raw') }] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
