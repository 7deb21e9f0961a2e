import { assertSame, emptyTable, makeDatabase, query } from './database.js';
import { expectedOrders, foundOrders, makeOrders, sourceTable, upsertOrders } from './orders.js';
import { runFloor } from './processes.js';
import { median, spread } from './results.js';

const rows = 1_000_000;
const mostRatio = 2.2;
const mostMebibytes = 350;

/** 1,000,000 rows × 10 columns, filter + map + cast + upsert by primary key, beside a bare copy of the same rows. */
export async function postgresUpsert(server: URL, rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const source = await makeOrders(server, rows);
  const destination = await makeDatabase(server, 'bench_destination');
  const figures: { floor: number; ours: number; mebibytes: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    await emptyTable(destination, sourceTable);
    const floor = await runFloor('copy-floor.js', source.href, destination.href, 'orders');
    const run = await upsertOrders(source, destination, rows);
    assertSame(await query(source, expectedOrders), await query(destination, foundOrders));
    log(
      `${round === 0 ? 'warm-up' : `round ${round}`}: copy ${floor.toFixed(2)} s, run ${run.seconds.toFixed(2)} s, ratio ${(run.seconds / floor).toFixed(2)}, ${run.mebibytes.toFixed(0)} MiB`,
    );
    if (round > 0) figures.push({ floor, ours: run.seconds, mebibytes: run.mebibytes });
  }
  const ratios = figures.map(({ floor, ours }) => ours / floor);
  const mebibytes = Math.max(...figures.map((figure) => figure.mebibytes));
  const withinLimits = median(ratios) <= mostRatio && mebibytes <= mostMebibytes;
  const text = [
    `PostgreSQL to PostgreSQL, ${rows.toLocaleString('en')} rows × 10 columns, filter + map + cast + upsert; ${rounds} rounds after a warm-up:`,
    '',
    '| figure | value | limit |',
    '|---|---|---|',
    `| time ÷ time of COPY to COPY of the same rows | ${spread(ratios)} | ${mostRatio} |`,
    `| seconds of the run | ${spread(figures.map(({ ours }) => ours))} | |`,
    `| seconds of the copy | ${spread(figures.map(({ floor }) => floor))} | |`,
    `| rows read a second | ${Math.round(rows / median(figures.map(({ ours }) => ours))).toLocaleString('en')} | |`,
    `| peak RSS of the run's process, MiB | ${mebibytes.toFixed(0)} | ${mostMebibytes} |`,
  ].join('\n');
  return { text, withinLimits };
}
