import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import neo4j, { type Driver, type Plan } from 'neo4j-driver';
import { Graph } from '../../../src/graph/graph.js';
import { boundStatements, type Statement } from '../../../src/graph/statement.js';
import { projectRoot } from '../../../src/lib/project-root.js';
import { servers } from '../../support/servers.js';

/** Plans are made once: making one for the first time takes long. */
const plans = new Map<string, string[]>();

beforeAll(async () => {
  const { uri, user, password } = servers.neo4j;
  const graph = new Graph({ uri, user, password });
  await graph.migrate();
  await graph.close();
  const folder = join(projectRoot, 'src', 'graph');
  for (const file of readdirSync(folder)) await import(join(folder, file));
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  for (const [file, statement] of boundStatements()) plans.set(file, await operatorsOf(driver, statement));
  await driver.close();
}, 180_000);

async function operatorsOf(driver: Driver, { text, parameters }: Statement<never, unknown>): Promise<string[]> {
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
  it('never scan all nodes or relationships and never build a Cartesian product', () => {
    const refused =
      /^(AllNodesScan|CartesianProduct|(Directed|Undirected)AllRelationshipsScan|(Directed|Undirected)RelationshipTypeScan|(Directed|Undirected)UnionRelationshipTypesScan)$/;
    const found = [...plans].flatMap(([file, plan]) => plan.filter((operator) => refused.test(operator)).map((operator) => `${file}: ${operator}`));
    expect(found).toEqual([]);
  });

  it('visit every node of a closure once', () => {
    const closures = [...boundStatements().values()].filter(({ text }) => /\*\d*\.\./.test(text));
    expect(closures.map(({ file }) => file).sort()).toEqual([
      'lineage/downstream-columns',
      'lineage/downstream-datasets',
      'lineage/upstream-columns',
      'lineage/upstream-datasets',
    ]);
    for (const { file } of closures) {
      expect(plans.get(file)?.filter((operator) => operator.startsWith('VarLengthExpand'))).toEqual(['VarLengthExpand(Pruning,BFS,All)']);
    }
  });

  it('scan labels only for counts', () => {
    const scanning = [...plans]
      .filter(([, plan]) => plan.some((operator) => operator.endsWith('ByLabelScan') || operator.endsWith('ByLabelsScan')))
      .map(([file]) => file);
    expect(scanning.sort()).toEqual(['datasets/count', 'pipelines/count']);
  });
});
