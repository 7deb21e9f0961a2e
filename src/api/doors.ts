import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from '../lib/loopback.js';
import { PlatformError } from '../model/errors.js';
import { type ApiErrorCode, errorBody } from './errors.js';

export interface DoorSettings {
  /** Address to listen on. Any but a loopback one needs a token. */
  readonly host: string;
  /** Bearer token that every request but `/healthz` and `/readyz` must carry; null: none. */
  readonly token: string | null;
  /** Host names that requests may be addressed to, beside the loopback ones and `host`. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages that may call, as `https://name:port`, beside our own. */
  readonly allowedOrigins: readonly string[];
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];
const openPaths = ['/healthz', '/readyz'];

/** @throws PlatformError CONFIG_INVALID when other machines could reach a server that asks for no token */
export function assertSafeDoors({ host, token }: DoorSettings): void {
  if (isLoopback(host) || (token !== null && token !== '')) return;
  const message = `HOST is ${host}, which other machines can reach, and TRIBUTARY_TOKEN is not set. Set TRIBUTARY_TOKEN to a long random text that clients send as "Authorization: Bearer …", or HOST to 127.0.0.1.`;
  throw new PlatformError('CONFIG_INVALID', message);
}

/** Host, Origin and token are checked before anything of a request is read: a web page that somebody happens to open must not reach the server. */
export function guardDoors(server: FastifyInstance, settings: DoorSettings): void {
  const hosts = new Set([...loopbackHosts, bracketed(settings.host), ...settings.allowedHosts].map((name) => name.toLowerCase()));
  server.addHook('onRequest', async (request, reply) => {
    if (!hosts.has(hostNameOf(request.headers.host))) {
      return refuse(
        reply,
        403,
        'FORBIDDEN',
        'The Host of this request is not one that this server answers to. Use localhost, or add the name to TRIBUTARY_ALLOWED_HOSTS.',
      );
    }
    if (!isAllowedOrigin(request, settings.allowedOrigins)) {
      return refuse(reply, 403, 'FORBIDDEN', 'Web pages of this Origin may not use this server. Add it to TRIBUTARY_ALLOWED_ORIGINS if they should.');
    }
    if (settings.token !== null && !openPaths.includes(pathOf(request)) && !carriesToken(request, settings.token)) {
      return refuse(reply.header('www-authenticate', 'Bearer'), 401, 'UNAUTHENTICATED', 'Send the token of this server as "Authorization: Bearer …".');
    }
  });
}

function refuse(reply: FastifyReply, status: number, code: ApiErrorCode, message: string): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}

/** A page's Origin is ours when it is the very address that the request was sent to. */
function isAllowedOrigin({ headers }: FastifyRequest, allowed: readonly string[]): boolean {
  const { origin } = headers;
  return origin === undefined || origin.toLowerCase() === `http://${headers.host}`.toLowerCase() || allowed.includes(origin);
}

function carriesToken({ headers }: FastifyRequest, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Without port, in lower case; '' when there is no usable Host. */
function hostNameOf(host: string | undefined): string {
  return /^(\[[0-9a-f:.]+\]|[^\s:/@]+)(?::\d+)?$/i.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
