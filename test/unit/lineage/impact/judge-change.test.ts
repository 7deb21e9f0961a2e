import { describe, expect, it } from '@jest/globals';
import { dropCases, type ImpactCase, renameCases, retypeCases, source } from './impact-cases.js';
import { openShop, report } from './impact-shop.js';
import { specCases } from './spec-cases.js';

describe('at least 110 changes', () => {
  it('are judged here', () => expect(dropCases.length + renameCases.length + retypeCases.length).toBeGreaterThanOrEqual(110));
});

describe('a dropped column or dataset', () => it.each(dropCases)('$name', judgeCase));
describe('a renamed column', () => it.each(renameCases)('$name', judgeCase));
describe('a retyped column', () => it.each(retypeCases)('$name', judgeCase));
describe('a document saved anew', () => it.each(specCases)('$name', judgeCase));

async function judgeCase({ tables, jobs, change, expect: expected, columns = {} }: ImpactCase): Promise<void> {
  const shop = await openShop({ ...source, ...tables }, jobs);
  const { findings, blindSpots } = await report(shop, change);
  expect(blindSpots).toEqual([]);
  const found = Object.fromEntries(Object.keys(expected).map((name) => [name, verdictOf(findings, 'JOB', `shop/${name}`)]));
  expect(found).toEqual(expected);
  const codes = Object.fromEntries(
    Object.keys(columns).map((name) => [name, verdictOf(findings, 'COLUMN', `postgres://localhost:5432/shop.${name}`)?.[1] ?? null]),
  );
  expect(codes).toEqual(columns);
}

function verdictOf(findings: Awaited<ReturnType<typeof report>>['findings'], kind: string, key: string): readonly [string, string] | null {
  const finding = findings.find((one) => one.kind === kind && one.key === key);
  return finding ? [finding.severity, finding.code] : null;
}
