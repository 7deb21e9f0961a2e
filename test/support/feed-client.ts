import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { eventually } from './eventually.js';

export interface SeenEvent {
  readonly cursor: string;
  readonly seq: number;
  readonly kind: string;
  readonly state: string;
  readonly message: string | null;
  readonly [field: string]: unknown;
}

/** One subscription to `runUpdated` on a connection of its own. */
export interface Subscriber {
  readonly events: readonly SeenEvent[];
  /** How it ended: null while it goes on, 'complete', or what went wrong. */
  readonly end: () => unknown;
  readonly socket: () => WebSocket;
  /** Waits until so many events have come. */
  seen(count: number): Promise<readonly SeenEvent[]>;
  ended(): Promise<unknown>;
  /** Hangs up. */
  close(): Promise<void>;
}

export interface SubscriberOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: string;
  readonly onEvent?: (event: SeenEvent) => void;
}

export const eventFields = 'cursor seq kind state attempt message stage step estimatedSecondsLeft metrics { rowsRead rowsPerSecond durationMs }';

export function subscriptionQuery(fields = eventFields): string {
  return `subscription ($run: ID, $job: JobKey, $downstreamOf: [NodeRef!], $after: String) {
    runUpdated(run: $run, job: $job, downstreamOf: $downstreamOf, after: $after) { ${fields} } }`;
}

/** @param url  of the API, `http://…` */
export function subscribe(url: string, variables: Readonly<Record<string, unknown>> = {}, options: SubscriberOptions = {}): Subscriber {
  const events: SeenEvent[] = [];
  let end: unknown = null;
  let socket: WebSocket | null = null;
  class OwnSocket extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { headers: { ...options.headers } });
      socket = this;
    }
  }
  const client = createClient({
    url: `${url.replace(/^http/, 'ws').replace('localhost', '127.0.0.1')}/graphql`,
    webSocketImpl: OwnSocket,
    connectionParams: { ...options.params },
    retryAttempts: 0,
  });
  client.subscribe<{ runUpdated: SeenEvent }>(
    { query: options.query ?? subscriptionQuery(), variables: { ...variables } },
    {
      next: ({ data, errors }) => {
        if (!data) end ??= errors;
        else {
          events.push(data.runUpdated);
          options.onEvent?.(data.runUpdated);
        }
      },
      error: (error) => {
        end ??= error;
      },
      complete: () => {
        end ??= 'complete';
      },
    },
  );
  return {
    events,
    end: () => end,
    socket: () => socket as unknown as WebSocket,
    seen: (count) =>
      eventually(`${count} events; there are ${events.length}, and the end is ${JSON.stringify(end)}`, async () => events.length >= count && events),
    ended: () => eventually('the end of the subscription', async () => end),
    close: async () => {
      await client.dispose();
    },
  };
}

/** Codes of the errors that a subscription ended with. */
export function codesOfEnd(end: unknown): unknown[] {
  return Array.isArray(end) ? end.map((error: { extensions?: { code?: unknown } }) => error.extensions?.code) : [end];
}
