const memoryUnits: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, KB: 1e3, MB: 1e6, GB: 1e9 };

/** `512MiB` → bytes; null when it is not a whole number with one of KiB, MiB, GiB, KB, MB, GB. */
export function parseMemory(text: string): number | null {
  const match = /^(\d{1,9}) ?(KiB|MiB|GiB|KB|MB|GB)$/.exec(text);
  return match ? Number(match[1]) * (memoryUnits[match[2] ?? ''] ?? Number.NaN) : null;
}

/** ISO 8601 duration of weeks, days, hours, minutes and seconds → milliseconds; null when it is none. Years and months have no fixed length. */
export function parseDuration(text: string): number | null {
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/.exec(text);
  if (!match || !/\d/.test(text) || text.endsWith('T')) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round(((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1_000);
}
