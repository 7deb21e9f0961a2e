import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReplayedLetter } from '../../../src/model/dead-letter.js';
import { writeReplayFiles } from '../../../src/worker/replay-files.js';
import { scriptedSpec } from './scripted-run.js';

const spec = scriptedSpec('any');
const output = { connection: 'shop', stream: 'mart.orders' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-letters-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function letter(row: ReplayedLetter['row'], more: Partial<ReplayedLetter> = {}): ReplayedLetter {
  return { id: 'dl_1', stage: 'transform', step: 'typed', output, row, ...more };
}

async function* inOrder(letters: readonly ReplayedLetter[]): AsyncGenerator<ReplayedLetter> {
  yield* letters;
}

const write = (letters: readonly ReplayedLetter[], signal = new AbortController().signal) => writeReplayFiles(inOrder(letters), spec, folder, signal);

describe('the files of dead letters that are taken again', () => {
  it('hold every row as it was kept, with NULL apart from an empty text', async () => {
    const rows = [
      { id: '1', note: 'a "b",\nc' },
      { note: null, id: '' },
    ];
    const [part, ...others] = await write(rows.map((row) => letter(row)));
    expect(others).toEqual([]);
    expect(part).toMatchObject({ stage: 'transform', step: 'typed', output: 0, segments: [{ columns: ['id', 'note'], rows: 2 }] });
    const [segment] = part?.segments ?? [];
    const text = await readFile(segment?.path ?? '', 'utf8');
    expect(text).toBe('1,"1","a ""b"",\nc"\n2,"",\n');
    expect(segment).toMatchObject({ sizeBytes: Buffer.byteLength(text), widestRowBytes: Buffer.byteLength('1,"1","a ""b"",\nc"\n') });
    expect((await stat(segment?.path ?? '')).mode & 0o077).toBe(0);
  });

  it('are apart for each stage, step and set of columns, and count positions through', async () => {
    const parts = await write([
      letter({ id: '1' }),
      letter({ id: '2', more: 'x' }),
      letter({ id: '3' }, { step: 'other' }),
      letter({ id: '4' }, { stage: 'load' }),
      letter({ id: '5' }),
    ]);
    expect(parts.map(({ stage, step, segments }) => [stage, step, segments[0]?.rows])).toEqual([
      ['transform', 'typed', 2],
      ['transform', 'typed', 1],
      ['transform', 'other', 1],
      ['load', 'typed', 1],
    ]);
    expect(await readFile(parts[0]?.segments[0]?.path ?? '', 'utf8')).toBe('1,"1"\n5,"5"\n');
  });

  it('are cut into segments', async () => {
    const note = 'x'.repeat(1_000_000);
    const [part] = await write(Array.from({ length: 20 }, () => letter({ note })));
    expect(part?.segments.map(({ rows }) => rows)).toEqual([9, 9, 2]);
  });

  it('are refused without letters, without a row and without an output', async () => {
    await expect(write([])).rejects.toMatchObject({ code: 'REPLAY_REFUSED', message: expect.stringMatching(/no dead letters/) });
    await expect(write([letter(null)])).rejects.toMatchObject({ code: 'REPLAY_REFUSED', message: expect.stringMatching(/dl_1 was too large/) });
    const elsewhere = letter({ id: '1' }, { output: { connection: 'shop', stream: 'mart.gone' } });
    await expect(write([elsewhere])).rejects.toMatchObject({ code: 'REPLAY_REFUSED', message: expect.stringMatching(/mart\.gone/) });
    await expect(write([letter({ id: '1' })], AbortSignal.abort(new Error('ended')))).rejects.toThrow('ended');
  });
});
