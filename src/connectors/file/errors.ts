import { isPlatformError, PlatformError } from '../../model/errors.js';

export type Doing = 'read' | 'load';

/** An error of the file system or of DuckDB as one of ours. */
export function toFileError(error: unknown, doing: Doing, where: string): PlatformError {
  if (isPlatformError(error)) return error;
  const { code } = (error ?? {}) as { code?: string };
  const failed = doing === 'read' ? 'SOURCE_FAILED' : 'DESTINATION_FAILED';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new PlatformError('ACCESS_DENIED', `${where}: the system refuses it (${code}). Give the user that Tributary runs as the right to it.`, {
      cause: error,
    });
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new PlatformError(failed, `${where}: it is not there any more. Check who else writes in this folder, then start the run again.`, {
      cause: error,
      retryable: true,
    });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PlatformError('DISK_FULL', `${where}: the disk is full. Free some space.`, { cause: error, retryable: true });
  return new PlatformError(failed, `${where}: ${messageOf(error)}. Check the file, then start the run again.`, { cause: error });
}

/** The first sentence of an error's message. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n', 1)[0] ?? message).replace(/^[A-Z][A-Za-z ]+ Error: /, '').replace(/[.\s]+$/, '');
}

/** Content that breaks the rules of its format. Never skipped. */
export function malformed(file: string, line: number | null, found: string): PlatformError {
  const place = line === null ? file : `${file}, line ${line}`;
  return new PlatformError('SOURCE_MALFORMED', `${place}: ${found}.`, { context: { file, ...(line === null ? {} : { line }) } });
}
