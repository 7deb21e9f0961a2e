import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols, type Server } from 'graphql-ws';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { DoorKeeper } from './doors.js';
import { type ApiErrorCode, errorBody } from './errors.js';
import type { SocketExtra } from './subscriptions.js';

export interface WebSocketParts {
  readonly http: HttpServer;
  readonly keeper: DoorKeeper;
  readonly subscriptions: Server<SocketExtra>;
  readonly logger: Logger;
  readonly largestMessageBytes: number;
  /** Between two pings; a connection that has not answered one by the next is cut. Default: 20,000. */
  readonly pingEveryMs?: number;
  /** Default: 5,000. */
  readonly mostConnections?: number;
}

const goingAway = 1001;
const failed = 4500;
const closeWithinMs = 1_000;
/** Of answers that a client does not read; beyond it is cut. */
const mostUnreadBytes = 4 * 1024 * 1024;
const statusTexts = { 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' } as const;

/** WebSockets at `/graphql`. Host, Origin and number are checked before one is opened, the token when it introduces itself. */
export class WebSocketDoor {
  private readonly server: WebSocketServer;
  private readonly pings: NodeJS.Timeout;
  private readonly silent = new WeakSet<WebSocket>();
  private closing = false;

  constructor(private readonly parts: WebSocketParts) {
    // The types do not know `closeTimeout` yet.
    const options = { noServer: true, maxPayload: parts.largestMessageBytes, perMessageDeflate: false, closeTimeout: closeWithinMs, handleProtocols };
    this.server = new WebSocketServer(options);
    parts.http.on('upgrade', (request, socket, head) => this.receive(request, socket, head));
    this.pings = setInterval(() => this.ping(), parts.pingEveryMs ?? 20_000);
  }

  get connections(): number {
    return this.server.clients.size;
  }

  /** Tells every client that the server goes, and cuts those that do not hang up. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.pings);
    const { clients } = this.server;
    for (const client of clients) client.close(goingAway, 'The server stops. Connect again, with `after` to go on.');
    const deadline = performance.now() + closeWithinMs;
    while (clients.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const client of clients) client.terminate();
    this.server.close();
  }

  private receive(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = this.refusalOf(request);
    if (refusal !== null) refuse(socket, ...refusal);
    else this.server.handleUpgrade(request, socket, head, (client) => this.open(client, request));
  }

  private refusalOf(request: IncomingMessage): [keyof typeof statusTexts, ApiErrorCode, string] | null {
    const refusal = this.parts.keeper.refusalOf(request.headers);
    if (refusal !== null) return [403, refusal.code, refusal.message];
    if ((request.url ?? '').split('?', 1)[0] !== '/graphql') return [404, 'BAD_REQUEST', 'There are no WebSockets here. Subscriptions are at /graphql.'];
    const most = this.parts.mostConnections ?? 5_000;
    if (this.closing || this.connections >= most) {
      return [
        503,
        'TOO_MANY_CONNECTIONS',
        `This server has ${most} WebSocket connections already, or is stopping. Use one connection for many subscriptions, or try another server.`,
      ];
    }
    return null;
  }

  private open(client: WebSocket, { headers }: IncomingMessage): void {
    const { subscriptions, logger } = this.parts;
    const closed = subscriptions.opened(
      {
        protocol: client.protocol,
        send: (text) => send(client, text),
        close: (code, reason) => client.close(code, reason),
        onMessage: (take) =>
          client.on('message', (message) => {
            // Who sends and does not read would have the answers kept here.
            if (client.bufferedAmount > mostUnreadBytes) return client.terminate();
            take(String(message)).catch((error: unknown) => {
              logger.error({ err: error }, 'A message over a WebSocket could not be dealt with.');
              client.close(failed, 'Something failed inside the server. The log has the reason.');
            });
          }),
      },
      { socket: client, authorization: headers.authorization },
    );
    client.on('pong', () => this.silent.delete(client));
    // Too large a message, or bytes that are no WebSocket's: `ws` closes the connection by itself.
    client.on('error', (error) => logger.info({ reason: error.message }, 'A WebSocket was closed because of what its client sent.'));
    client.once('close', (code, reason) => {
      closed(code, String(reason)).catch((error: unknown) => logger.error({ err: error }, 'The subscriptions of a WebSocket could not be ended.'));
    });
  }

  private ping(): void {
    for (const client of this.server.clients) {
      if (this.silent.has(client)) client.terminate();
      else if (client.readyState === client.OPEN) {
        this.silent.add(client);
        client.ping();
      }
    }
  }
}

/** Resolves when the text has left for the network: so nothing more is read for a client that takes nothing. */
function send(client: WebSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client.readyState !== client.OPEN) resolve();
    else client.send(text, (error) => (error ? reject(error) : resolve()));
  });
}

function refuse(socket: Duplex, status: keyof typeof statusTexts, code: ApiErrorCode, message: string): void {
  const body = JSON.stringify(errorBody(code, message));
  const head = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  // Its other half would stay open for as long as the client likes, and no limit of HTTP looks at it any more.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
