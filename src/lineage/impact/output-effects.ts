import type { CompiledOutput, CompiledPipeline } from '../../model/compiled-pipeline.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import { type Cause, type ColumnEffect, type DatasetEffect, isNoEffect, noEffect, type Retype } from './effects.js';
import { fingerprintOf, type OutputFingerprint } from './fingerprints.js';
import { datasetNode, jobNode, type NodeKey } from './nodes.js';
import { type AffectedColumn, jobName, outputOf, type ReaderCase, type WrittenTable } from './reader-case.js';
import { reachingColumn, reachingRows, valueChanging } from './values.js';

/** What a job that still runs does to the datasets it writes, by `datasetKey`; those that stay as they are, are missing. */
export function outputEffects(reader: ReaderCase, compiled: CompiledPipeline, affected: readonly AffectedColumn[]): Map<string, DatasetEffect> {
  const changing = valueChanging(affected, compiled);
  const outputs = [...(reader.baseline?.compiled.outputs ?? []), ...compiled.outputs];
  const datasets = new Map(outputs.map(({ dataset }) => [datasetKey(dataset), dataset]));
  const effects = [...datasets].map(([key, dataset]): [string, DatasetEffect] => [
    key,
    new OutputJudge(reader, compiled, affected, changing, dataset).effect(),
  ]);
  return new Map(effects.filter(([, effect]) => !isNoEffect(effect)));
}

class OutputJudge {
  readonly #before: CompiledOutput | undefined;
  readonly #after: CompiledOutput | undefined;
  readonly #table: WrittenTable | undefined;
  /** How the output comes about, before and after; only where the document itself changes. */
  readonly #prints: readonly [OutputFingerprint, OutputFingerprint] | null;

  constructor(
    private readonly reader: ReaderCase,
    private readonly compiled: CompiledPipeline,
    private readonly affected: readonly AffectedColumn[],
    private readonly changing: readonly AffectedColumn[],
    private readonly dataset: DatasetRef,
  ) {
    this.#before = outputOf(reader.baseline?.compiled, dataset);
    this.#after = outputOf(compiled, dataset);
    this.#table = reader.tables.get(datasetKey(dataset));
    this.#prints = this.#fingerprints();
  }

  effect(): DatasetEffect {
    const nothing = noEffect(this.dataset);
    if (this.#after === undefined) return { ...nothing, stale: this.#cause('OUTPUT_REMOVED', 'is no longer written', []) };
    if (this.#before === undefined) return this.#newOutput(this.#after);
    const names = new Set([...this.#before.columns, ...this.#after.columns].map(({ name }) => name));
    const columns = new Map(
      [...names].flatMap((name) => this.#column(name, this.#before, this.#after).map((effect): [string, ColumnEffect] => [name, effect])),
    );
    return { ...nothing, rows: this.#rows(this.#before, this.#after), columns };
  }

  /** A job begins to write here. A table that nobody has made has no rows that could become others. */
  #newOutput(after: CompiledOutput): DatasetEffect {
    const created = this.#table?.existing ? null : this.#made(after);
    const rows = this.#stays ? this.#cause('ROWS_CHANGED', 'gets the rows of another job', []) : null;
    return { ...noEffect(this.dataset), created, rows };
  }

  /** Whether the table is there whatever this job does. */
  get #stays(): boolean {
    return this.#table !== undefined && (this.#table.existing !== null || this.#table.otherWriters);
  }

  #column(name: string, before: CompiledOutput | undefined, after: CompiledOutput | undefined): ColumnEffect[] {
    const old = before?.columns.find((column) => column.name === name);
    const now = after?.columns.find((column) => column.name === name);
    if (old && !now) return [this.#lost(name, before)];
    if (!old && now) return [this.#gained(name, after)];
    if (!old || !now || !after) return [];
    const retyped = this.#retyped(old.type, now.type);
    const via = reachingColumn(after, name, this.changing);
    const expression = this.#prints !== null && this.#prints[0].column(name) !== this.#prints[1].column(name);
    const own = expression ? [...via, jobNode(this.reader.job)] : via;
    if (retyped) {
      const effect = this.#change('TYPE_CHANGED', `becomes ${now.type} (it was ${old.type})`, this.#viaOr(own, after, name));
      return [{ ...effect, retyped: { ...retyped, exact: retyped.exact && via.length === 0 && !expression }, values: via.length > 0 || expression }];
    }
    if (expression) return [this.#change('EXPRESSION_CHANGED', 'is computed in another way', own)];
    return via.length > 0 ? [this.#change('VALUES_CHANGED', 'gets other values', via)] : [];
  }

  #lost(name: string, before: CompiledOutput | undefined): ColumnEffect {
    const via = this.affected.filter(({ effect }) => effect.gone);
    const reached = before ? reachingColumn(before, name, via) : [];
    if (this.#stays) return this.#change('TURNS_NULL', 'is no longer written and turns NULL', reached);
    return { ...this.#change('COLUMN_GONE', 'is gone', reached), gone: true, values: false };
  }

  #gained(name: string, after: CompiledOutput | undefined): ColumnEffect {
    const via = after
      ? reachingColumn(
          after,
          name,
          this.affected.filter(({ effect }) => effect.added !== null),
        )
      : [];
    if (this.#table?.existing) return this.#change('VALUES_CHANGED', 'begins to be written', via);
    const added = after ? (this.#made(after).find((column) => column.name === name) ?? null) : null;
    return { ...this.#change('VALUES_CHANGED', 'is new', via), added, values: false };
  }

  /** A table that is there keeps its types. */
  #retyped(from: string, to: string): Retype | null {
    if (from === to || this.#table?.existing) return null;
    return this.reader.types.retype(this.dataset, from, to);
  }

  #rows(before: CompiledOutput, after: CompiledOutput): Cause | null {
    const upstream = after.lineage.inputs.flatMap((input) => (this.reader.effects.get(datasetKey(input))?.rows ? [datasetNode(input)] : []));
    const decided = [
      ...reachingRows(
        before,
        this.affected.filter(({ effect }) => effect.gone),
      ),
      ...reachingRows(after, this.changing),
    ];
    const via = [...new Set([...upstream, ...decided])];
    if (this.#prints !== null && this.#prints[0].rows !== this.#prints[1].rows)
      return this.#cause('ROWS_CHANGED', 'is made of rows chosen in another way', [...via, jobNode(this.reader.job)]);
    const own = this.reader.effects.get(datasetKey(this.dataset))?.gone ? [datasetNode(this.dataset)] : [];
    if (own.length > 0) return this.#cause('TABLE_MADE_ANEW', 'is made anew, with the rows of the next run only', own);
    return via.length > 0 ? this.#cause('ROWS_CHANGED', 'gets other rows', via) : null;
  }

  #fingerprints(): readonly [OutputFingerprint, OutputFingerprint] | null {
    const { baseline, changed, specChanged } = this.reader;
    if (!specChanged || !baseline) return null;
    const print = (spec: typeof changed.spec, compiled: CompiledPipeline): OutputFingerprint | null => {
      const index = compiled.outputs.findIndex((output) => datasetKey(output.dataset) === datasetKey(this.dataset));
      const output = spec.outputs[index];
      const columnsOf = (alias: string) => compiled.inputs.find((input) => input.alias === alias)?.schema.map(({ name }) => name) ?? [];
      return output ? fingerprintOf(spec, output, columnsOf) : null;
    };
    const before = print(baseline.spec, baseline.compiled);
    const after = print(changed.spec, this.compiled);
    return before && after ? [before, after] : null;
  }

  #made({ columns, load }: CompiledOutput) {
    return columns.map(({ name, type }, index) =>
      this.reader.types.madeColumn(this.dataset, { name, type, ordinal: index + 1, nullable: !load.key.includes(name) }),
    );
  }

  /** A type that follows from exactly widened columns still has causes. */
  #viaOr(via: NodeKey[], after: CompiledOutput, name: string): NodeKey[] {
    return via.length > 0 ? via : reachingColumn(after, name, this.affected);
  }

  #change(code: Cause['code'], what: string, via: readonly NodeKey[]): ColumnEffect {
    return { ...this.#cause(code, what, via), gone: false, added: null, retyped: null, values: true };
  }

  /** Without anything upstream it is the document of the job itself that does it. */
  #cause(code: Cause['code'], what: string, via: readonly NodeKey[]): Cause {
    const { job, specChanged } = this.reader;
    return { code, reason: `${what} by job ${jobName(job)}`, via: via.length > 0 || !specChanged ? via : [jobNode(job)] };
  }
}
