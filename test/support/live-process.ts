import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { startApi } from '../../src/api/server.js';
import type { ApiServices } from '../../src/api/services.js';
import { Documents } from '../../src/documents/documents.js';
import { Graph } from '../../src/graph/graph.js';
import { noMetrics } from '../../src/model/run.js';
import { openLiveRuns } from './live-runs.js';

/**
 * A process of the live feed, started by a test with a channel: `api URI` serves subscriptions and says its address; `publish URI RUNS
 * EVENTS BYTES` appends so many events, with a message of so many bytes, to each of so many runs of its own, says when it is done, and ends.
 */
const [role, uri = '', runs = '0', events = '0', bytes = '0'] = process.argv.slice(2);
const logger = pino({ level: 'silent' });
const documents = await Documents.open({ uri });
process.on('disconnect', () => process.exit(0));

if (role === 'api') await serve();
else await publish();

async function serve(): Promise<void> {
  const graph = new Graph({
    uri: process.env['TEST_NEO4J_URI'] ?? '',
    user: process.env['TEST_NEO4J_USER'] ?? '',
    password: process.env['TEST_NEO4J_PASSWORD'] ?? '',
  });
  const live = await openLiveRuns(graph, documents, logger);
  const services = { runEvents: live.events } as unknown as ApiServices;
  const settings = { host: '127.0.0.1', port: 0, token: null, allowedHosts: [], allowedOrigins: [] };
  const api = await startApi({ services, settings, logger, readiness: {} });
  process.on('message', (asked) => {
    if (asked === 'stop') return void api.stop().then(() => process.exit(0));
    global.gc?.();
    process.send?.({ rssBytes: process.memoryUsage().rss, heapBytes: process.memoryUsage().heapUsed, waiting: live.tail.waiting, open: live.events.open });
  });
  process.send?.({ url: api.url });
}

async function publish(): Promise<void> {
  const wakeUps = await documents.wakeUps(logger);
  const ofRun = async (pipelineId: string): Promise<void> => {
    const run = { runId: randomUUID(), pipelineId };
    for (let number = 1; number <= Number(events); number += 1) {
      const at = new Date().toISOString();
      const event = {
        kind: 'progress',
        at,
        state: 'RUNNING',
        attempt: 1,
        message: `${number}`.padEnd(Number(bytes), '.'),
        metrics: noMetrics,
        durationMs: null,
        rowsPerSecond: null,
      } as const;
      const position = await documents.runLog.append(run, () => [{ event: { ...event, stage: 'reading', step: null, secondsLeft: null }, transition: null }]);
      if (position !== null) wakeUps.announce(position);
    }
  };
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: Number(runs) }, (_, index) => ofRun(`job_${index}`)));
  process.send?.({ publishedInMs: performance.now() - startedAtMs });
  await wakeUps.close();
  await documents.close();
  process.disconnect();
}
