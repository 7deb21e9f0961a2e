import { appendFile, readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/lib/project-root.js';

export function machineLine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${processors[0]?.model.trim() || 'unnamed processor'}, ${memory}, ${process.platform} ${release()}, Node ${process.versions.node}`;
}

/** Adds a section of today to RESULTS.md. */
export async function appendResult(text: string): Promise<void> {
  const file = join(projectRoot, 'test', 'bench', 'RESULTS.md');
  const before = await readFile(file, 'utf8');
  await appendFile(file, `${before.endsWith('\n') ? '' : '\n'}\n## ${machineLine()}\n\n${text}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** `median (least–most)`, with two decimals. */
export function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;
}

/** @param share  0.95: the value that 95 of 100 do not exceed */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
