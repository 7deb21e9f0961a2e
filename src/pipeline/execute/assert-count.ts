import { PlatformError } from '../../model/errors.js';

/** Where rows are only handed on, as many come out as went in. @throws PlatformError COUNTS_MISMATCH */
export function assertCount(where: string, rowsIn: number, rowsOut: number): void {
  if (rowsIn !== rowsOut) throw countsMismatch(where, rowsIn, rowsOut);
}

/** Where rows are left out. @throws PlatformError COUNTS_MISMATCH */
export function assertNoMore(where: string, rowsIn: number, rowsOut: number): void {
  if (rowsOut > rowsIn) throw countsMismatch(where, rowsIn, rowsOut);
}

function countsMismatch(where: string, rowsIn: number, rowsOut: number): PlatformError {
  return new PlatformError(
    'COUNTS_MISMATCH',
    `${where} took ${rowsIn} rows and accounts for ${rowsOut}. Nothing was written; start the run again and report this if it stays.`,
  );
}
