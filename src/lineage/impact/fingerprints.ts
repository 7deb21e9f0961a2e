import { sha256 } from '../../lib/sha256.js';
import type { OutputSpec, PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';

/** How one output of a document comes about. Equal texts mean: computed the same way from the same columns, whatever steps and aliases are called. */
export interface OutputFingerprint {
  /** By column, without upper and lower case. */
  column(name: string): string;
  /** Which rows there are, and which of them win. */
  readonly rows: string;
}

/** @param columnsOf  names of the columns of an input, by alias */
export function fingerprintOf(spec: PipelineSpec, output: OutputSpec, columnsOf: (alias: string) => readonly string[]): OutputFingerprint {
  const relations = new Relations(spec, columnsOf);
  const { mode, key, orderBy } = output.load;
  return {
    column: (name) => relations.column(output.from, name),
    rows: hash('load', mode, key, orderBy, relations.rows(output.from), orderBy === null ? '' : relations.column(output.from, orderBy)),
  };
}

class Relations {
  readonly #steps: ReadonlyMap<string, StepSpec>;
  readonly #columns = new Map<string, string>();
  readonly #rows = new Map<string, string>();

  constructor(
    private readonly spec: PipelineSpec,
    private readonly columnsOf: (alias: string) => readonly string[],
  ) {
    this.#steps = new Map(spec.steps.map((step) => [step.id, step]));
  }

  column(relation: string, name: string): string {
    const key = JSON.stringify([relation, name.toLowerCase()]);
    const known = this.#columns.get(key);
    if (known !== undefined) return known;
    // A document whose steps go in a circle is refused elsewhere; here it must only end.
    this.#columns.set(key, '');
    const made = this.#makeColumn(relation, name);
    this.#columns.set(key, made);
    return made;
  }

  rows(relation: string): string {
    const known = this.#rows.get(relation);
    if (known !== undefined) return known;
    this.#rows.set(relation, '');
    const made = this.#makeRows(relation);
    this.#rows.set(relation, made);
    return made;
  }

  #makeColumn(relation: string, name: string): string {
    const step = this.#steps.get(relation);
    if (step === undefined) return this.#inputColumn(relation, name);
    if ('map' in step) return this.#expression(entryOf(step.map.columns, name), [step.map.from]);
    if ('filter' in step) return this.column(step.filter.from, name);
    if ('cast' in step) return this.#cast(step.cast, name);
    if ('union' in step)
      return hash(
        'union',
        step.union.from.map((from) => this.column(from, name)),
      );
    if ('dedupe' in step) return this.column(step.dedupe.from, name);
    if ('aggregate' in step) {
      const { from, groupBy, columns } = step.aggregate;
      return hash('aggregate', this.#expression(entryOf(groupBy, name) ?? entryOf(columns, name), [from]), this.#all(groupBy, [from]));
    }
    const { left, right, columns } = step.join;
    return this.#expression(entryOf(columns, name), [left.from, right.from], [left.as, right.as]);
  }

  #makeRows(relation: string): string {
    const step = this.#steps.get(relation);
    if (step === undefined) return this.#input(relation);
    if ('map' in step) return this.rows(step.map.from);
    if ('filter' in step) return hash('filter', this.#expression(step.filter.where, [step.filter.from]), this.rows(step.filter.from));
    if ('cast' in step) {
      const { from, columns, onError } = step.cast;
      const rejects = onError === 'reject' ? Object.entries(columns).map(([name, type]) => [type.toLowerCase(), this.column(from, name)]) : [];
      return rejects.length === 0 ? this.rows(from) : hash('reject', rejects, this.rows(from));
    }
    if ('union' in step)
      return hash(
        'union',
        step.union.from.map((from) => this.rows(from)),
      );
    if ('dedupe' in step) {
      const { from, key, orderBy, keep } = step.dedupe;
      const order = orderBy === null ? '' : this.column(from, orderBy);
      return hash(
        'dedupe',
        key.map((name) => this.column(from, name)),
        order,
        keep,
        this.rows(from),
      );
    }
    if ('aggregate' in step) return hash('aggregate', this.#all(step.aggregate.groupBy, [step.aggregate.from]), this.rows(step.aggregate.from));
    const { left, right, kind, on } = step.join;
    const sides = [this.rows(left.from), this.rows(right.from)];
    return hash('join', kind, on === null ? '' : this.#expression(on, [left.from, right.from], [left.as, right.as]), sides);
  }

  #cast({ from, columns, onError }: { from: string; columns: Readonly<Record<string, string>>; onError: string }, name: string): string {
    const type = entryOf(columns, name);
    const before = this.column(from, name);
    return type === undefined ? before : hash('cast', type.toLowerCase(), onError, before);
  }

  #input(alias: string): string {
    const input = this.spec.inputs[alias];
    return hash('input', input?.connection ?? '', input?.stream ?? '');
  }

  #inputColumn(alias: string, name: string): string {
    return hash('column', this.#input(alias), name.toLowerCase());
  }

  #all(expressions: Readonly<Record<string, string>>, from: readonly string[]): string[] {
    return Object.values(expressions).map((text) => this.#expression(text, from));
  }

  /** A text with what every word in it could name put in place of it, so that names of relations and of columns on the way do not count. */
  #expression(text: string | undefined, sources: readonly string[], aliases: readonly string[] = sources): string {
    if (text === undefined) return '';
    const words = [...text.matchAll(/"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/gu)].map(([word]) => word);
    const bare = words.length === 1 && words[0] === text.trim() && sources.length === 1;
    const [only = ''] = words;
    if (bare && this.#has(sources[0] ?? '', plain(only))) return this.column(sources[0] ?? '', plain(only));
    const named = words.flatMap((word) => {
      const place = aliases.findIndex((alias) => alias.toLowerCase() === plain(word).toLowerCase());
      const columns = sources.flatMap((source, index) => (this.#has(source, plain(word)) ? [[index, this.column(source, plain(word))]] : []));
      return columns.length > 0 || place >= 0 ? [[place, columns]] : [];
    });
    return hash('expression', this.#skeleton(text, sources, aliases), named);
  }

  /** The text without the names that stand for something else. */
  #skeleton(text: string, sources: readonly string[], aliases: readonly string[]): string {
    return text.trim().replaceAll(/"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/gu, (word) => {
      const name = plain(word);
      const stands = aliases.some((alias) => alias.toLowerCase() === name.toLowerCase()) || sources.some((source) => this.#has(source, name));
      return stands ? '?' : word;
    });
  }

  #has(relation: string, name: string): boolean {
    return this.#namesOf(relation, 0).some((known) => known.toLowerCase() === name.toLowerCase());
  }

  #namesOf(relation: string, depth: number): readonly string[] {
    const step = this.#steps.get(relation);
    if (step === undefined) return this.columnsOf(relation);
    if (depth > this.#steps.size) return [];
    if ('map' in step) return Object.keys(step.map.columns);
    if ('join' in step) return Object.keys(step.join.columns);
    if ('aggregate' in step) return [...Object.keys(step.aggregate.groupBy), ...Object.keys(step.aggregate.columns)];
    if ('union' in step) return this.#namesOf(step.union.from[0] ?? '', depth + 1);
    if ('filter' in step) return this.#namesOf(step.filter.from, depth + 1);
    return this.#namesOf('cast' in step ? step.cast.from : step.dedupe.from, depth + 1);
  }
}

function entryOf(columns: Readonly<Record<string, string>>, name: string): string | undefined {
  return columns[name] ?? Object.entries(columns).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

function plain(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word;
}

function hash(...parts: readonly unknown[]): string {
  return sha256(JSON.stringify(parts));
}
