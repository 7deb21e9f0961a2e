import { rm } from 'node:fs/promises';
import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { prefetch } from '../../lib/prefetch.js';
import type { CompiledInput } from '../../model/compiled-pipeline.js';
import type { Segment } from '../../model/segment.js';
import { inputSql, rawRelation, rawSql } from '../transform/input-relation.js';
import { locateFailure } from '../transform/locate-failure.js';
import { assertCount } from './assert-count.js';
import { Batch, type BatchParts, dropRelation } from './batch.js';
import type { Route } from './plan.js';

/** Segments read ahead of the steps. */
const ahead = 2;

/** Takes the segments of an input through its route; their files are removed, also those that were read ahead in vain. */
export async function runInput(
  parts: BatchParts,
  input: CompiledInput,
  segments: AsyncIterable<Segment>,
  route: Route,
  onDone: (segment: Segment) => Promise<void>,
): Promise<void> {
  const unread = new Set<string>();
  const remove = async (path: string): Promise<void> => {
    if (unread.delete(path)) await rm(path, { force: true });
  };
  try {
    for await (const segment of prefetch(remembered(segments, unread), ahead)) {
      await runSegment(parts, input, segment, route);
      await remove(segment.path);
      await onDone(segment);
    }
  } finally {
    for (const path of unread) await remove(path);
  }
}

async function* remembered(segments: AsyncIterable<Segment>, paths: Set<string>): AsyncGenerator<Segment> {
  for await (const segment of segments) {
    paths.add(segment.path);
    yield segment;
  }
}

async function runSegment(parts: BatchParts, input: CompiledInput, segment: Segment, route: Route): Promise<void> {
  const { statements } = parts;
  const raw = rawRelation(input.alias);
  try {
    await statements.run(`CREATE VIEW ${raw} AS ${rawSql(input, segment)}`);
    const rows = await makeInput(parts, input, segment, route);
    await new Batch(parts, route, input).run(input.alias, rows);
  } finally {
    await dropRelation(statements, input.alias);
    await statements.clear(`DROP VIEW IF EXISTS ${raw}`);
  }
}

/**
 * A view when it is read once by something that counts its rows, so that the file is read straight into that; else a table.
 *
 * @returns rows of it
 */
async function makeInput(parts: BatchParts, input: CompiledInput, segment: Segment, route: Route): Promise<number> {
  const { statements, destinations } = parts;
  const readers = route.steps.filter(({ from }) => from.includes(input.alias));
  const once = !input.rejects && Batch.readersOf(input.alias, route, destinations) === 1 && readers.every(({ rejects, blocking }) => !rejects && !blocking);
  try {
    const made = await statements.run(`CREATE ${once ? 'VIEW' : 'TABLE'} ${quoteIdentifier(input.alias)} AS ${inputSql(input)}`);
    if (once) return segment.rows;
    const refused = await countRefused(parts, input, segment.rows, made);
    assertCount(`Input "${input.alias}"`, segment.rows, made + refused);
    return made;
  } catch (error) {
    throw await locateFailure(statements, error, { input, step: null, numbered: true });
  }
}

async function countRefused({ rejected, counts }: BatchParts, input: CompiledInput, rowsIn: number, rowsOut: number): Promise<number> {
  if (!input.rejects) return 0;
  const refused = rowsOut < rowsIn ? await rejected.appendUnread(input) : 0;
  const counted = counts.of(input.alias);
  counted.rowsIn += rowsIn;
  counted.rowsOut += rowsOut;
  counted.rowsRejected += refused;
  return refused;
}
