import type { Logger } from 'pino';
import type { Documents } from '../../src/documents/documents.js';
import type { WakeUps } from '../../src/documents/wake-ups.js';
import type { Graph } from '../../src/graph/graph.js';
import { RunEventService } from '../../src/services/run-events.js';
import { RunLogService } from '../../src/services/run-log.js';
import { RunTail, type RunTailParts } from '../../src/services/run-tail.js';

/** The log and the feed of one process, put together as the server does. */
export interface LiveRuns {
  readonly log: RunLogService;
  readonly tail: RunTail;
  readonly events: RunEventService;
  readonly wakeUps: WakeUps;
  close(): Promise<void>;
}

export async function openLiveRuns(graph: Graph, documents: Documents, logger: Logger, times: RunTailParts['times'] = {}): Promise<LiveRuns> {
  const wakeUps = await documents.wakeUps(logger);
  const log = new RunLogService({ graph, log: documents.runLog, onAppended: (position) => wakeUps.announce(position), logger });
  const tail = new RunTail({ feed: documents.runLog.feed, logger, ...(times === undefined ? {} : { times }) });
  await Promise.all([tail.start(), wakeUps.listen(() => tail.wake())]);
  const events = new RunEventService({ graph, log: documents.runLog, tail, transitions: log });
  return {
    log,
    tail,
    events,
    wakeUps,
    close: async () => {
      await tail.stop();
      await log.settled();
      await wakeUps.close();
    },
  };
}
