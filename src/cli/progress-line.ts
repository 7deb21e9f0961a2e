import type { RunFeedEvent } from './run-feed.js';
import { withCommas } from './table.js';

/** What a run is doing, in one line; null: nothing that is worth a line. */
export function progressLine(title: string, { kind, state, stage, step, estimatedSecondsLeft, metrics }: RunFeedEvent): string | null {
  if (kind !== 'progress') return state === 'QUEUED' || state === 'RUNNING' ? `${title}  ${state === 'QUEUED' ? 'waiting' : 'starting'}` : null;
  const doing = [stage, ...(step === null ? [] : [step])].join(' ');
  const rate = metrics.rowsPerSecond === null ? [] : [`${withCommas(Math.round(metrics.rowsPerSecond))} rows/s`];
  const left = estimatedSecondsLeft === null ? [] : [`about ${duration(estimatedSecondsLeft)} left`];
  const read = `${withCommas(metrics.rowsRead)} rows read${metrics.bytesRead === 0 ? '' : ` (${size(metrics.bytesRead)})`}`;
  return [title, doing, read, ...rate, ...left].join('  ');
}

/** In decimal units. */
function size(bytes: number): string {
  const megabytes = bytes / 1e6;
  if (megabytes < 0.1) return `${Math.ceil(bytes / 1e3)} kB`;
  return megabytes < 1_000 ? `${megabytes.toFixed(1)} MB` : `${(megabytes / 1_000).toFixed(1)} GB`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
