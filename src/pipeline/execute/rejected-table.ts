import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { CompiledCondition, CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import type { DeadLetterStage } from '../../model/dead-letter.js';
import { PlatformError } from '../../model/errors.js';
import { rawRelation } from '../transform/input-relation.js';
import type { Statements } from './statements.js';

/** Rows that inputs and casts of a pass have refused. */
export class RejectedTable {
  readonly name = quoteIdentifier('_rejected');

  constructor(private readonly statements: Statements) {}

  async open(): Promise<void> {
    await this.statements.run(`CREATE TABLE ${this.name} (stage VARCHAR, code VARCHAR, step VARCHAR, pos BIGINT, message VARCHAR, "row" VARCHAR)`);
  }

  /** What a step has refused of the rows it read. @returns how many */
  async append({ id, from, rejects }: CompiledStep): Promise<number> {
    return rejects ? this.insert('transform', 'VALUE_UNCONVERTIBLE', id, rejects, quoteIdentifier(from[0] ?? '')) : 0;
  }

  /** What an input refuses of the segment under way. @returns how many */
  async appendUnread({ alias, rejects }: CompiledInput): Promise<number> {
    if (!rejects) return 0;
    if (rejects.kept) return this.insert('extract', 'CURSOR_NULL', alias, rejects, rawRelation(alias));
    const [counted] = await this.statements.rows(`SELECT count(*) FROM ${rawRelation(alias)} WHERE ${rejects.conditionSql}`);
    return Number(counted?.[0] ?? 0);
  }

  /** The step and sentence that most rows were rejected by. */
  async mostFrequent(): Promise<{ readonly step: string; readonly message: string; readonly rows: number } | null> {
    const [row] = await this.statements.rows(`SELECT step, message, count(*) FROM ${this.name} GROUP BY ALL ORDER BY count(*) DESC, step, message LIMIT 1`);
    return row ? { step: String(row[0]), message: String(row[1]), rows: Number(row[2]) } : null;
  }

  private insert(stage: DeadLetterStage, code: string, step: string, { conditionSql, messageSql, rowSql }: CompiledCondition, from: string): Promise<number> {
    const constants = [stage, code, step].map(quoteText).join(', ');
    return this.statements.run(`INSERT INTO ${this.name} SELECT ${constants}, _pos, ${messageSql}, ${rowSql} FROM ${from} WHERE ${conditionSql}`);
  }

  async close(): Promise<void> {
    await this.statements.clear(`DROP TABLE IF EXISTS ${this.name}`);
  }
}

/** `limits.rejected` of the document. */
export interface RejectedLimits {
  /** null: any number. */
  readonly rejectedRows: number | null;
  /** Part (0 to 1) of the rows read, from 1,000 rows read on; null: any part. */
  readonly rejectedRatio: number | null;
}

const leastRowsForRatio = 1_000;

/** What the limits say to this many rows: null: nothing, else the beginning of a sentence. */
export function exceededBudget({ rejectedRows, rejectedRatio }: RejectedLimits, rejected: number, read: number): string | null {
  const found = `Of ${read} rows read, ${rejected} were rejected, which is more than `;
  if (rejectedRows !== null && rejected > rejectedRows) return `${found}limits.rejected.maxRows (${rejectedRows}) allows`;
  if (rejectedRatio !== null && read >= leastRowsForRatio && rejected > rejectedRatio * read)
    return `${found}limits.rejected.maxRatio (${rejectedRatio}) allows`;
  return null;
}

/** What a destination refuses of the rows that it was given. */
export interface RefusedByLoad {
  readonly stream: string;
  readonly rows: number;
}

/**
 * @param rejected  rows that inputs and steps have rejected
 * @param refused   by the loads of the pass, as far as they were asked
 * @throws PlatformError REJECTED_BUDGET
 */
export async function assertBudget(
  limits: RejectedLimits,
  table: RejectedTable,
  rejected: number,
  read: number,
  refused: readonly RefusedByLoad[] = [],
): Promise<void> {
  const total = refused.reduce((sum, { rows }) => sum + rows, rejected);
  const exceeded = total === 0 ? null : exceededBudget(limits, total, read);
  if (exceeded === null) return;
  const most = await table.mostFrequent();
  const example = most ? ` Step "${most.step}" rejected ${most.rows} of them: ${most.message}.` : '';
  const loads = refused.filter(({ rows }) => rows > 0).map(({ stream, rows }) => ` The load of ${stream} refused ${rows} of them.`);
  throw new PlatformError('REJECTED_BUDGET', `${exceeded}.${example}${loads.join('')} Nothing was written. Mend the source or the step, or raise the limit.`, {
    context: { rejected: total, read },
    ...(most && { step: most.step }),
  });
}
