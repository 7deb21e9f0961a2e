import type { Evidence } from '../../../src/model/lineage.js';
import type { Shop } from './shop.js';

/** Lineage written straight into the graph: `orders.id` is a column of the dataset `orders`. */
export interface Drawing {
  /** Datasets with their columns. */
  readonly datasets: Readonly<Record<string, readonly string[]>>;
  /** Column to column, or column to dataset (an influence). */
  readonly edges: readonly DrawnEdge[];
}
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly source?: Evidence;
  readonly job?: string;
}

export interface Drawn {
  /** Every name belongs to this namespace. */
  readonly namespace: string;
  /** Id of a dataset, a column or a job. */
  id(name: string): string;
  /** Name of an id. */
  name(id: string): string;
}

let drawings = 0;

/** Draws into a namespace of its own, with a FEEDS edge beside every column edge. */
export async function draw(shop: Shop, { datasets, edges }: Drawing, namespaceOf: (dataset: string) => string = () => ''): Promise<Drawn> {
  drawings += 1;
  const namespace = `${shop.name}-${drawings}`;
  const prefix = { dataset: `ds_${namespace}:`, column: `col_${namespace}:`, job: `job_${namespace}:` };
  const datasetOf = (name: string): string => name.split('.')[0] ?? '';
  const id = (name: string): string => (datasets[name] ? prefix.dataset : name.includes('.') ? prefix.column : prefix.job) + name;
  const rows = edges.map(({ from, to, source = 'EXECUTED', job = 'job' }) => ({
    fromId: id(from),
    toId: id(to),
    fromDataset: id(datasetOf(from)),
    toDataset: id(datasetOf(to)),
    source,
    jobId: prefix.job + job,
    types: datasets[to] ? ['INDIRECT'] : ['DIRECT'],
    id: `${prefix.job}${from}>${to}>${source}>${job}`,
  }));
  const columns = Object.entries(datasets).flatMap(([name, names]) =>
    names.map((column, index) => ({
      id: `${prefix.column}${name}.${column}`,
      datasetId: prefix.dataset + name,
      name: column,
      ordinal: index + 1,
      namespace: namespace + namespaceOf(name),
    })),
  );
  await shop.query(`UNWIND $datasets AS row CREATE (:DatasetName {namespace: row.namespace, name: row.name})-[:NAMES]->(dataset:Dataset) SET dataset = row`, {
    datasets: Object.keys(datasets).map((name) => ({ id: prefix.dataset + name, name, namespace: namespace + namespaceOf(name), owners: [] })),
  });
  await shop.query(
    `UNWIND $columns AS row MATCH (dataset:Dataset {id: row.datasetId})
     CREATE (dataset)-[:HAS_COLUMN {validFrom: datetime()}]->(column:Column) SET column = row, column.ordinal = toInteger(row.ordinal)`,
    { columns },
  );
  await shop.query(
    'UNWIND $jobs AS id MERGE (job:Job {id: id}) ON CREATE SET job:Pipeline, job.namespace = $namespace, job.name = id, job.owners = [], job.version = 1, job.spec = "{}"',
    { jobs: [...new Set([...rows.map(({ jobId }) => jobId), `${prefix.job}job`])], namespace },
  );
  const open = (type: string, from: string, to: string, fromId: string, toId: string): string =>
    `UNWIND $rows AS row MATCH (from:${from} {id: row.${fromId}}) MATCH (to:${to} {id: row.${toId}})
     MERGE (from)-[edge:${type} {jobId: row.jobId, source: row.source}]->(to)
     ON CREATE SET edge.id = '${type}' + row.id, edge.outputId = row.toDataset, edge.transformations = '[]', edge.types = row.types, edge.validFrom = datetime()`;
  await shop.query(open('DERIVES', 'Column', 'Column', 'fromId', 'toId'), { rows: rows.filter(({ toId }) => toId.startsWith('col_')) });
  await shop.query(open('INFLUENCES', 'Column', 'Dataset', 'fromId', 'toId'), { rows: rows.filter(({ toId }) => toId.startsWith('ds_')) });
  await shop.query(open('FEEDS', 'Dataset', 'Dataset', 'fromDataset', 'toDataset'), { rows });
  return { namespace, id, name: (nodeId) => nodeId.replace(/^[a-z]+_[^:]*:/, '') };
}
