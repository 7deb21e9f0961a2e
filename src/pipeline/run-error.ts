import { type ErrorRecord, toErrorRecord } from '../model/errors.js';

/** An error that ended a run, as a record. What a full disk of this machine did to whoever wrote to it is DISK_FULL, whoever that was. */
export function toRunError(error: unknown): ErrorRecord {
  const record = toErrorRecord(error);
  if (record.code === 'DISK_FULL' || !causes(error).some(isDiskFull)) return record;
  const message = `The disk with the folder of this run is full (${record.message}). Free some space, or set TRIBUTARY_STATE to a folder on a larger disk.`;
  // Other runs give back what they use when they end.
  return { ...record, code: 'DISK_FULL', message, retryable: true };
}

function causes(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let each = error; each !== undefined && each !== null && found.length < 10; each = (each as { cause?: unknown }).cause) found.push(each);
  return found;
}

/** An error of the system; those of a server have other codes. DuckDB has only words. */
function isDiskFull(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'ENOSPC' || code === 'EDQUOT' || (typeof message === 'string' && /No space left on device|Disk quota exceeded/.test(message) && code === undefined)
  );
}
