import { describe, expect, it } from '@jest/globals';
import type { CompileRequest } from '../../../src/model/run-process.js';
import { compileInProcess } from '../../../src/worker/compile-in-process.js';
import { scriptedChild, scriptedSpec } from './scripted-run.js';

const compile = compileInProcess({ entry: scriptedChild, timeoutMs: 1_500 });
const request = (name: string): CompileRequest => ({ spec: scriptedSpec(name), inputs: {}, inputKinds: {}, outputs: [] });

describe('compiling in a process', () => {
  it('returns what the process compiled', async () => {
    expect(await compile(request('compiles'))).toEqual({ compiled: { inputs: [], steps: [], outputs: [] } });
  });

  it('returns the issues the process found', async () => {
    expect(await compile(request('isInvalid'))).toEqual({ issues: [{ path: 'steps[0]', message: 'no' }], code: 'INVALID_SPEC' });
  });

  it('stops a process that takes too long', async () => {
    await expect(compile(request('loopsForEver'))).rejects.toMatchObject({ code: 'RUN_TIMED_OUT', message: expect.stringContaining('1.5 s') });
  });

  it('says so when the process ends by itself', async () => {
    await expect(compile(request('exits'))).rejects.toMatchObject({ code: 'RUN_PROCESS_DIED', message: expect.stringContaining('exit code 9') });
  });
});
