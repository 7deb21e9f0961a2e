import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import neo4j, { type Driver, type Plan } from 'neo4j-driver';
import { Graph } from '../../../src/graph/graph.js';
import { boundStatements, type Statement } from '../../../src/graph/statement.js';
import { projectRoot } from '../../../src/lib/project-root.js';
import { servers } from '../../support/servers.js';

let driver: Driver;

beforeAll(async () => {
  const { uri, user, password } = servers.neo4j;
  const graph = new Graph({ uri, user, password });
  await graph.migrate();
  await graph.close();
  driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  const folder = join(projectRoot, 'src', 'graph');
  for (const file of readdirSync(folder)) await import(join(folder, file));
});

afterAll(() => driver.close());

async function operatorsOf({ text, parameters }: Statement<never, unknown>): Promise<string[]> {
  const session = driver.session();
  try {
    const { summary } = await session.run(`EXPLAIN ${text}`, Object.fromEntries(parameters.map((name) => [name, null])));
    return summary.plan === false ? [] : operators(summary.plan);
  } finally {
    await session.close();
  }
}

function operators({ operatorType, children }: Plan): string[] {
  return [operatorType.replace('@neo4j', ''), ...children.flatMap(operators)];
}

describe('the plans of all statements', () => {
  it('never scan all nodes or relationships and never build a Cartesian product', async () => {
    const refused = /^(AllNodesScan|CartesianProduct|(Directed|Undirected)AllRelationshipsScan|(Directed|Undirected)RelationshipTypeScan|(Directed|Undirected)UnionRelationshipTypesScan)$/;
    const found: string[] = [];
    for (const [file, statement] of boundStatements()) {
      const bad = (await operatorsOf(statement)).filter((operator) => refused.test(operator));
      if (bad.length > 0) found.push(`${file}: ${bad.join(', ')}`);
    }
    expect(found).toEqual([]);
  });

  it('visit every node of a closure once', async () => {
    const closures = [...boundStatements().values()].filter(({ text }) => /\*\d*\.\./.test(text));
    expect(closures.map(({ file }) => file).sort()).toEqual([
      'lineage/downstream-columns',
      'lineage/downstream-datasets',
      'lineage/upstream-columns',
      'lineage/upstream-datasets',
    ]);
    for (const closure of closures) {
      const expands = (await operatorsOf(closure)).filter((operator) => operator.startsWith('VarLengthExpand'));
      expect(expands).toEqual(['VarLengthExpand(Pruning,BFS,All)']);
    }
  });

  it('scan labels only for lists and counts', async () => {
    const scanning: string[] = [];
    for (const [file, statement] of boundStatements()) {
      if ((await operatorsOf(statement)).includes('NodeByLabelScan')) scanning.push(file);
    }
    expect(scanning.sort()).toEqual(['datasets/count', 'pipelines/count']);
  });
});
