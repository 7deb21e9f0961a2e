import { describe, expect, it } from '@jest/globals';
import type { DeadLetterStage } from '../../../../src/model/dead-letter.js';
import { replayWay } from '../../../../src/pipeline/replay/replay-way.js';
import { parseSpec } from '../../../../src/pipeline/spec/parse-spec.js';

const typed = '{id: typed, cast: {from: orders, columns: {amount: INTEGER}, onError: reject}}';
const output = (from: string, load = '{mode: upsert, key: [id]}') => `{from: ${from}, connection: shop, stream: mart.orders, load: ${load}}`;

function way(steps: string, outputs: string, from: { stage?: DeadLetterStage; step?: string; stream?: string } = {}) {
  const inputs = '{orders: {connection: shop, stream: orders}, people: {connection: shop, stream: people}}';
  const used = steps.includes('people') ? inputs : '{orders: {connection: shop, stream: orders}}';
  const { spec } = parseSpec(`{version: 1, name: p, namespace: n, inputs: ${used}, steps: [${steps}], outputs: [${outputs}]}`);
  return replayWay(spec, {
    stage: from.stage ?? 'transform',
    step: from.step ?? 'typed',
    output: { connection: 'shop', stream: from.stream ?? 'mart.orders' },
  });
}

function join(left: string, right: string, kind: string): string {
  return `{id: joined, join: {left: {from: ${left}, as: l}, right: {from: ${right}, as: r}, kind: ${kind}, on: "l.id = r.id", columns: {id: l.id}}}`;
}

describe('the way of refused rows', () => {
  it('leads from the refusing step to their output, past steps that are elsewhere', () => {
    const steps = `{id: kept, filter: {from: typed, where: "amount > 0"}}, ${typed}, {id: other, map: {from: typed, columns: {id: id}}}`;
    const outputs = `${output('kept')}, {from: other, connection: shop, stream: mart.other, load: {mode: append}}`;
    expect(way(steps, outputs)).toEqual({ output: 0, relation: 'orders', steps: ['typed', 'kept'], sides: new Set() });
    expect(way(steps, outputs, { stream: 'mart.other' })).toMatchObject({ output: 1, steps: ['typed', 'other'] });
  });

  it('begins at the output for rows that were not loaded', () => {
    expect(way(typed, output('typed'), { stage: 'load', step: 'mart.orders' })).toEqual({ output: 0, relation: null, steps: [], sides: new Set() });
  });

  it.each(['inner', 'left', 'semi', 'anti'])('goes on through the left side of a join of kind %s, its right side read whole', (kind) => {
    const steps = `${typed}, {id: adults, filter: {from: people, where: "age > 17"}}, ${join('typed', 'adults', kind)}`;
    expect(way(steps, output('joined'))).toEqual({ output: 0, relation: 'orders', steps: ['typed', 'joined'], sides: new Set(['adults', 'people']) });
  });

  it.each(['right', 'full'])('does not go through the left side of a join of kind %s', (kind) => {
    expect(way(`${typed}, ${join('typed', 'people', kind)}`, output('joined'))).toEqual({
      problem: expect.stringMatching(new RegExp(`"joined" of kind ${kind} depends on all rows of its left side.*Run the pipeline again`)),
    });
  });

  it.each(['left', 'full', 'semi', 'anti'])('does not go through the right side of a join of kind %s', (kind) => {
    expect(way(`${typed}, ${join('people', 'typed', kind)}`, output('joined'))).toEqual({ problem: expect.stringMatching(/all rows of its right side/) });
  });

  it.each([
    [`${typed}, ${join('typed', 'orders', 'inner')}`, 'joined', /made of the rows that the refused ones belong to/],
    [`${typed}, {id: half, filter: {from: typed, where: "amount > 1"}}, ${join('typed', 'half', 'inner')}`, 'joined', /Both sides of join "joined"/],
    [`${typed}, {id: sums, aggregate: {from: typed, groupBy: [id], columns: {total: "sum(amount)"}}}`, 'sums', /"sums" puts rows together/],
    [`${typed}, {id: single, dedupe: {from: typed, key: [id], keep: last}}`, 'single', /"single" puts rows together/],
  ])('%# is refused where rows must be seen together', (steps, from, message) => {
    expect(way(steps, output(from))).toEqual({ problem: expect.stringMatching(message) });
  });

  it('is refused where step, input or output are not what they were', () => {
    expect(way(typed, output('typed'), { step: 'gone' })).toEqual({ problem: 'The pipeline has no step "gone" any more.' });
    expect(way(typed, output('typed'), { stream: 'mart.gone' })).toEqual({ problem: expect.stringMatching(/does not write mart\.gone of connection "shop"/) });
    expect(way(typed.replace('reject', '"null"'), output('typed'))).toEqual({ problem: expect.stringMatching(/"typed" does not reject rows any more/) });
    expect(
      way(`${typed}, {id: all, map: {from: orders, columns: {id: id}}}`, `${output('all')}, {from: typed, connection: shop, stream: b, load: {mode: append}}`),
    ).toEqual({
      problem: expect.stringMatching(/"typed" does not lead to mart\.orders any more/),
    });
  });

  it('is refused into a table that every run overwrites', () => {
    expect(way(typed, output('typed', '{mode: overwrite}'))).toEqual({
      problem: expect.stringMatching(/overwritten by every run.*Run the pipeline again instead/),
    });
  });
});
