const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * An RFC 3339 time in UTC, its fraction of a second (up to microseconds) kept as it is.
 *
 * @returns e.g. `2026-01-31T22:00:00.123456Z`; null when `text` is no such time, names a day that does not exist or has more than 6 decimals
 */
export function normalizeTime(text: string): string | null {
  const [, year, month, day, hour, minute, second, fraction, zone] = pattern.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined || zone === undefined) return null;
  const offset = offsetMinutes(zone);
  const utcMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (offset === null || Number.isNaN(utcMs) || !isRealTime(utcMs, [year, month, day, hour, minute, second].map(Number))) return null;
  const seconds = new Date(utcMs - offset * 60_000).toISOString().slice(0, 19);
  return seconds.startsWith('-') || seconds.startsWith('+') ? null : `${seconds}${fraction === undefined ? '' : `.${fraction}`}Z`;
}

/** JavaScript rolls 31 February over into March; years below 100 are taken for 19xx. */
function isRealTime(utcMs: number, parts: readonly number[]): boolean {
  const date = new Date(utcMs);
  const found = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  return found.every((value, index) => value === parts[index]);
}

function offsetMinutes(zone: string): number | null {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
