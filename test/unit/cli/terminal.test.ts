import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { progressLine } from '../../../src/cli/progress-line.js';
import { openTerminal, type Terminal } from '../../../src/cli/terminal.js';

function terminalOf(isTTY: boolean): { terminal: Terminal; written: () => string } {
  let text = '';
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  return { terminal: openTerminal(Object.assign(output, { isTTY, columns: 20 }) as unknown as NodeJS.WriteStream, { NO_COLOR: '1' }), written: () => text };
}

describe('passing lines', () => {
  it('replace one another on a terminal, are cut to its width, and give way to a line that stays', () => {
    const { terminal, written } = terminalOf(true);
    terminal.passing('first');
    terminal.passing('second, which is too long');
    terminal.line('stays');
    terminal.line('too');
    expect(written()).toBe('\r\x1b[2Kfirst\r\x1b[2Ksecond, which is to\r\x1b[2Kstays\ntoo\n');
  });

  it('stay where lines cannot be replaced, one every two seconds', () => {
    const { terminal, written } = terminalOf(false);
    terminal.passing('first');
    terminal.passing('second');
    terminal.line('stays');
    expect(written()).toBe('first\nstays\n');
  });
});

describe('the line of a run', () => {
  const event = {
    kind: 'progress',
    state: 'RUNNING',
    stage: 'reading',
    step: null,
    estimatedSecondsLeft: null,
    metrics: { rowsRead: 120_000, bytesRead: 0, rowsPerSecond: null },
  };

  it('says what is known, and nothing of what is not', () => {
    expect(progressLine('shop/orders', event)).toBe('shop/orders  reading  120,000 rows read');
    const more = {
      ...event,
      stage: 'transforming',
      step: 'joined',
      estimatedSecondsLeft: 130,
      metrics: { rowsRead: 5, bytesRead: 12_345_678, rowsPerSecond: 43_094.4 },
    };
    expect(progressLine('shop/orders', more)).toBe('shop/orders  transforming joined  5 rows read (12.3 MB)  43,094 rows/s  about 2 min left');
  });

  it.each([
    [1, '1 kB'],
    [99_999, '100 kB'],
    [100_000, '0.1 MB'],
    [999_900_000, '999.9 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('shows %d bytes as %s', (bytesRead, shown) => {
    expect(progressLine('a', { ...event, metrics: { rowsRead: 7, bytesRead, rowsPerSecond: null } })).toBe(`a  reading  7 rows read (${shown})`);
  });

  it('is there for what comes before the first progress, and not for the end', () => {
    expect(progressLine('a', { ...event, kind: 'state', state: 'QUEUED' })).toBe('a  waiting');
    expect(progressLine('a', { ...event, kind: 'state', state: 'COMPLETE' })).toBeNull();
  });
});
