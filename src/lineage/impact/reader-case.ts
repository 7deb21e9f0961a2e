import type { CompiledOutput, CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { StreamColumn, StreamDescription } from '../../model/connector.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { BoundCast, CompileResult } from '../../model/run-process.js';
import type { ColumnEffect, Effects, Retype } from './effects.js';
import { columnNode, type NodeKey } from './nodes.js';
import { type ColumnUse, useOf } from './uses.js';

/** A document compiled against the schemas as they are. */
export interface Baseline {
  readonly spec: PipelineSpec;
  readonly compiled: CompiledPipeline;
  readonly casts: readonly BoundCast[];
}

/** A document compiled against the schemas as they will be. */
export interface Changed {
  readonly spec: PipelineSpec;
  readonly result: CompileResult;
  readonly casts: readonly BoundCast[];
}

/** A table that a job writes. */
export interface WrittenTable {
  readonly dataset: DatasetRef;
  /** As it stands now; null: it will be made by the next run. */
  readonly existing: StreamDescription | null;
  /** Other jobs write it as well, so that their columns stay in a table to be made. */
  readonly otherWriters: boolean;
}

/** What the connectors know about types. */
export interface TypeRules {
  /** What becomes of the values of a column. */
  retype(dataset: DatasetRef, from: string, to: string): Retype;
  /** A column of the table that is made for an output, as a reader of it finds it. */
  madeColumn(dataset: DatasetRef, column: { readonly name: string; readonly type: string; readonly ordinal: number; readonly nullable: boolean }): StreamColumn;
}

/** Everything that a verdict on one job is made from. */
export interface ReaderCase {
  readonly job: { readonly namespace: string; readonly name: string };
  /** null: the job is new. */
  readonly baseline: Baseline | null;
  readonly changed: Changed;
  /** True when its document is what is changed. */
  readonly specChanged: boolean;
  /** Of the datasets it reads and writes. */
  readonly effects: Effects;
  /** By `datasetKey`. */
  readonly tables: ReadonlyMap<string, WrittenTable>;
  readonly types: TypeRules;
}

/** A column of an input that something happens to, and what the job does with it. */
export interface AffectedColumn {
  readonly dataset: DatasetRef;
  readonly name: string;
  readonly effect: ColumnEffect;
  readonly use: ColumnUse;
  readonly node: NodeKey;
}

/** Columns that something happens to: of the job's inputs, used or not, and of tables it writes that are themselves what is changed. */
export function affectedColumns({ effects, baseline, changed }: Pick<ReaderCase, 'effects' | 'baseline' | 'changed'>): AffectedColumn[] {
  const compiled = [...(baseline ? [baseline.compiled] : []), ...('compiled' in changed.result ? [changed.result.compiled] : [])];
  const read = new Set(compiled.flatMap(({ inputs }) => inputs.map(({ dataset }) => datasetKey(dataset))));
  return [...effects].flatMap(([key, { dataset, columns, isRoot }]) => {
    const output = isRoot && !read.has(key) ? outputOf(compiled[0], dataset) : undefined;
    if (!read.has(key) && output === undefined) return [];
    const useOfColumn = (name: string): ColumnUse => (output ? writeOf(output, name) : unionOf(compiled.map((one) => useOf(one, dataset, name))));
    return [...columns].map(([name, effect]) => ({ dataset, name, effect, use: useOfColumn(name), node: columnNode(dataset, name) }));
  });
}

function writeOf({ columns }: CompiledOutput, column: string): ColumnUse {
  const written = columns.some(({ name }) => name === column);
  return { read: written, value: false, codes: written ? ['COLUMN_READ'] : [], transformations: [] };
}

export function outputOf(compiled: CompiledPipeline | undefined, dataset: DatasetRef): CompiledOutput | undefined {
  return compiled?.outputs.find((output) => datasetKey(output.dataset) === datasetKey(dataset));
}

export function jobName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function unionOf(uses: readonly ColumnUse[]): ColumnUse {
  return {
    read: uses.some(({ read }) => read),
    // Of a text, value and text are one: so it is the document as it is that tells whether the value is read.
    value: uses[0]?.value === true,
    codes: [...new Set(uses.flatMap(({ codes }) => codes))],
    transformations: uses.flatMap(({ transformations }) => transformations),
  };
}
