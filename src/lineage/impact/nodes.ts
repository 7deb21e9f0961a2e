import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import type { ImpactNodeKind } from '../../model/impact.js';

/** Names a node in maps; also one that the graph does not have yet. Never shown. */
export type NodeKey = string;

export interface NodeName {
  readonly kind: ImpactNodeKind;
  /** `datasetKey` of a dataset or of a column's dataset; `namespace/name` of a job. */
  readonly owner: string;
  /** Of a column; else ''. */
  readonly column: string;
}

export function datasetNode(dataset: DatasetRef): NodeKey {
  return nodeKey({ kind: 'DATASET', owner: datasetKey(dataset), column: '' });
}

export function columnNode(dataset: DatasetRef, column: string): NodeKey {
  return nodeKey({ kind: 'COLUMN', owner: datasetKey(dataset), column });
}

export function jobNode({ namespace, name }: { readonly namespace: string; readonly name: string }): NodeKey {
  return nodeKey({ kind: 'JOB', owner: `${namespace}/${name}`, column: '' });
}

export function nodeKey({ kind, owner, column }: NodeName): NodeKey {
  return JSON.stringify([kind, owner, column]);
}

export function nodeName(key: NodeKey): NodeName {
  const [kind, owner, column] = JSON.parse(key) as [ImpactNodeKind, string, string];
  return { kind, owner, column };
}
