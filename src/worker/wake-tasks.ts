import { setTimeout as wait } from 'node:timers/promises';
import { MongoBackend } from '@agendajs/mongo-backend';
import { Agenda } from 'agenda';
import type { Logger } from 'pino';
import type { DocumentsDatabase } from '../documents/documents.js';

const taskName = 'runs.wake';

export interface WakeTasksSettings {
  readonly database: DocumentsDatabase;
  readonly logger: Logger;
  /** Between two looks into MongoDB, in milliseconds. */
  readonly lookEveryMs?: number;
}

/**
 * The only door to Agenda. A task means "there may be work" and nothing else: the queue is in Neo4j, so that losing every
 * task costs a few seconds (the worker looks by itself) and no run.
 */
export class WakeTasks {
  private readonly agenda: Agenda;
  private readonly backend: PatientBackend;
  private readonly logger: Logger;

  constructor({ database, logger, lookEveryMs = 100 }: WakeTasksSettings) {
    this.logger = logger;
    this.backend = new PatientBackend({ mongo: database, collection: 'tasks', logCollection: 'taskLogs' });
    this.agenda = new Agenda({ backend: this.backend, processEvery: lookEveryMs, removeOnComplete: true, defaultLockLifetime: 2_000 });
    this.agenda.on('error', (error: Error) => this.logger.warn({ reason: error.name }, 'Agenda could not reach MongoDB.'));
  }

  /** Returns at once. What goes wrong is logged: the worker finds the run without the task as well. */
  enqueue(): void {
    this.agenda.ready
      .then(() => this.agenda.now(taskName, {}))
      .catch((error: unknown) =>
        this.logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'A wake-up task could not be stored in MongoDB.'),
      );
  }

  /** Calls `onWake`, which returns quickly, for every task, also those enqueued by other processes. */
  async listen(onWake: () => void): Promise<void> {
    this.agenda.define(taskName, async (_task: unknown) => onWake(), { concurrency: 20 });
    await this.agenda.start();
  }

  /** Leaves the connection open: it belongs to `documents`. */
  async stop(): Promise<void> {
    this.backend.giveUp();
    await this.agenda
      .stop()
      .catch((error: unknown) => this.logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'Agenda did not stop cleanly.'));
  }
}

/** Agenda does not catch a failing `connect`, which would end the process: this one goes on trying. */
class PatientBackend extends MongoBackend {
  private wanted = true;

  override async connect(): Promise<void> {
    while (this.wanted) {
      try {
        return await super.connect();
      } catch {
        await wait(500);
      }
    }
  }

  giveUp(): void {
    this.wanted = false;
  }
}
