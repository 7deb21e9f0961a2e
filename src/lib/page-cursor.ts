type Part = string | number;
type PartType = 'string' | 'number';

/** The place of an item in an ordered list, as an opaque text. */
export function encodeCursor(parts: readonly Part[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor; null when it was not made by `encodeCursor` from parts of these types. */
export function decodeCursor(cursor: string, types: readonly PartType[]): Part[] | null {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  if (!Array.isArray(parts) || parts.length !== types.length) return null;
  return types.every((type, index) => typeof parts[index] === type) ? (parts as Part[]) : null;
}
