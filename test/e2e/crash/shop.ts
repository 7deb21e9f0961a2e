import pg from 'pg';
import { eventually } from '../../support/eventually.js';

export type LoadMode = 'append' | 'upsert' | 'overwrite';

/** Tables that the same document is loaded into: by the runs from which something is killed, and by those that nobody disturbs. */
export const targets = ['target', 'twin'] as const;
export type Target = (typeof targets)[number];

/** How far the source has been read, whole as it stands there: with the hashes of the rows at the end of what was read. */
export interface StoredSlot {
  readonly input: string;
  readonly version: number;
  readonly state: unknown;
}

/** Places in a run where PostgreSQL can be made to wait for the test. */
export type Gate = 'before the first row' | 'behind many rows' | 'before the merge' | 'in the commit';

const firstRows = 3_000;
const allRows = 12_000;
/** By then the first segments are staged: a row is about 2 KB. */
const manyRows = firstRows + 7_000;
const gates: readonly Gate[] = ['before the first row', 'behind many rows', 'before the merge', 'in the commit'];

/** Rows that a gate stands at: the first of the whole table and of the second wave, or one far behind. */
const rowsOf: Readonly<Partial<Record<Gate, string>>> = { 'before the first row': `1, ${firstRows + 1}`, 'behind many rows': String(manyRows) };

/** A source with rows that cannot be cast, and the tables of one case; everything lies in a schema of the case's own. */
export class CrashShop {
  private constructor(
    private readonly url: string,
    readonly schema: string,
    /** Its gates are advisory locks from this number on. */
    private readonly firstLock: number,
  ) {}

  static async make(url: string, number: number): Promise<CrashShop> {
    const shop = new CrashShop(url, `case_${number}`, number * 10);
    await shop.query(`CREATE SCHEMA ${shop.schema}; SET search_path = ${shop.schema};
      CREATE TABLE rows (id integer PRIMARY KEY, name text, amount text, changed_at timestamptz NOT NULL);
      CREATE FUNCTION passes(id integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN
        IF current_query() LIKE 'COPY%' THEN
          ${gates.flatMap((gate) => (rowsOf[gate] === undefined ? [] : `IF id IN (${rowsOf[gate]}) THEN ${shop.waitFor(gate)} END IF;`)).join('\n')}
        END IF; RETURN true; END $$;
      CREATE VIEW source AS SELECT * FROM rows WHERE ${shop.schema}.passes(id);
      CREATE SCHEMA ${shop.schema}_mart; SET search_path = ${shop.schema}_mart;
      ${targets.map((target) => `CREATE TABLE ${target} (id integer, name text, amount integer, changed_at timestamptz)`).join(';\n')}`);
    await shop.add(1, firstRows);
    return shop;
  }

  /** From now on a commit can be made to wait behind everything else: the trigger is deferred. */
  async guardCommits(): Promise<void> {
    await this.query(`SET search_path = ${this.schema}_mart;
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${this.waitFor('in the commit')} RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON _tributary_loads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${this.schema}_mart.wait()`);
  }

  /** New rows, and for what is merged by key changes of old ones. */
  async secondWave(mode: LoadMode): Promise<void> {
    await this.add(firstRows + 1, allRows);
    if (mode !== 'append')
      await this.query(`UPDATE ${this.schema}.rows SET name = 'changed', changed_at = changed_at + interval '1 day' WHERE id <= 500 AND id % 2 = 0`);
  }

  /** Enough attempts for a PostgreSQL that is away twice. */
  document(target: Target, connection: string, mode: LoadMode): string {
    const load = mode === 'append' ? '{mode: append}' : `{mode: ${mode}, key: [id]}`;
    const increments = mode === 'overwrite' ? '' : ', incremental: {cursor: changed_at}';
    return `{version: 1, name: ${target}, namespace: ${this.schema}, retry: {attempts: 20, initial: PT0.2S, max: PT1S},
      inputs: {rows: {connection: ${connection}, stream: ${this.schema}.source${increments}}},
      steps: [{id: typed, cast: {from: rows, columns: {amount: INTEGER}, onError: reject}}],
      outputs: [{from: typed, connection: ${connection}, stream: ${this.schema}_mart.${target}, load: ${load}}]}`;
  }

  async makeKeys(): Promise<void> {
    await this.query(targets.map((target) => `ALTER TABLE ${this.schema}_mart.${target} ADD PRIMARY KEY (id)`).join('; '));
  }

  /** Rows that differ from what plain SQL gives; rows that are doubled or lost differ. */
  async differences(target: Target): Promise<number> {
    const wanted = `SELECT id, name, amount::integer, changed_at FROM ${this.schema}.rows WHERE amount ~ '^[0-9]+$'`;
    const found = `SELECT id, name, amount, changed_at FROM ${this.schema}_mart.${target}`;
    const [row] = await this.query<{ differing: number }>(
      `SELECT count(*)::int AS differing FROM (((${wanted}) EXCEPT ALL (${found})) UNION ALL ((${found}) EXCEPT ALL (${wanted}))) AS d`,
    );
    return row?.differing ?? -1;
  }

  /** Ids of the rows of the second wave, or of a whole read, that cannot be cast. */
  async badRows(mode: LoadMode): Promise<string[]> {
    const from = mode === 'overwrite' ? 1 : firstRows + 1;
    const rows = await this.query<{ id: string }>(
      `SELECT r.id::text AS id FROM ${this.schema}.rows AS r WHERE amount !~ '^[0-9]+$' AND r.id >= ${from} ORDER BY r.id`,
    );
    return rows.map(({ id }) => id);
  }

  slots(target: Target): Promise<StoredSlot[]> {
    return this.query(`SELECT input, version::int AS version, state FROM ${this.schema}_mart._tributary_state WHERE output LIKE '%.${target}' ORDER BY input`);
  }

  async highestCursor(): Promise<string> {
    const [row] = await this.query<{ last: string }>(`SELECT max(changed_at)::text AS last FROM ${this.schema}.rows`);
    if (!row) throw new Error('The source is empty.');
    return row.last;
  }

  /** Sessions of runs that have not ended. */
  sessions(): Promise<unknown[]> {
    return this.query(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'tributary%'`);
  }

  loads(runId: string): Promise<{ attempt: number }[]> {
    return this.query(`SELECT attempt::int FROM ${this.schema}_mart._tributary_loads WHERE run_id = '${runId}'`);
  }

  /** Closes a gate. What is closed opens when it is opened, and when PostgreSQL dies. */
  async close(gate: Gate, loadId: string): Promise<ClosedGate> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'gate' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`SELECT pg_advisory_lock(${gate === 'before the merge' ? `hashtextextended('${loadId}', 0)` : this.lockOf(gate)})`);
    return {
      reached: (known = []) =>
        eventually(`the run waits ${gate}`, async () => {
          const { rows } = await client.query<{ pid: number }>(`SELECT waiting.pid FROM pg_locks AS waiting
            JOIN pg_locks AS held USING (locktype, database, classid, objid, objsubid)
            WHERE waiting.locktype = 'advisory' AND NOT waiting.granted AND held.granted AND held.pid = pg_backend_pid()`);
          const waiting = rows.map(({ pid }) => pid).filter((pid) => !known.includes(pid));
          return waiting.length > 0 && waiting;
        }),
      open: () => client.end().catch(() => undefined),
    };
  }

  async query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(`SET TimeZone = 'UTC'`);
      return (await client.query<Row>(sql)).rows ?? [];
    } finally {
      await client.end();
    }
  }

  private async add(from: number, to: number): Promise<void> {
    await this.query(`INSERT INTO ${this.schema}.rows SELECT i, repeat('x', 2000) || i, CASE WHEN i % 1000 = 7 THEN 'bad' ELSE i::text END,
      timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(${from}, ${to}) AS i`);
  }

  private waitFor(gate: Gate): string {
    return `PERFORM pg_advisory_lock_shared(${this.lockOf(gate)}); PERFORM pg_advisory_unlock_shared(${this.lockOf(gate)});`;
  }

  private lockOf(gate: Gate): number {
    return this.firstLock + gates.indexOf(gate);
  }
}

export interface ClosedGate {
  /** Resolves when a session waits before it that is none of the known ones. @returns those that do, by process id */
  reached(known?: readonly number[]): Promise<number[]>;
  open(): Promise<void>;
}
