import { describe, expect, it } from '@jest/globals';
import { isFinal, type RunState, statesBefore, unfinishedStates } from '../../../src/model/run.js';

const states: readonly RunState[] = ['QUEUED', 'RUNNING', 'COMPLETE', 'FAIL', 'ABORT', 'SKIPPED'];
const allowed = new Set([
  'QUEUED -> RUNNING',
  'QUEUED -> SKIPPED',
  'QUEUED -> ABORT',
  'RUNNING -> COMPLETE',
  'RUNNING -> FAIL',
  'RUNNING -> ABORT',
  'RUNNING -> QUEUED',
]);

describe('the states of a run', () => {
  it.each(states.flatMap((from) => states.map((to) => [from, to] as const)))('%s -> %s is allowed exactly when the table says so', (from, to) => {
    expect(statesBefore(to).includes(from)).toBe(allowed.has(`${from} -> ${to}`));
  });

  it('are final when nothing follows', () => {
    expect(states.filter(isFinal)).toEqual(['COMPLETE', 'FAIL', 'ABORT', 'SKIPPED']);
    expect(unfinishedStates).toEqual(['QUEUED', 'RUNNING']);
  });
});
