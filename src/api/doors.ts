import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
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

export interface Refusal {
  readonly status: 401 | 403;
  readonly code: ApiErrorCode;
  readonly message: string;
}

/** Judges who may come in: over HTTP and over WebSocket alike. */
export interface DoorKeeper {
  /** Why a request to this Host, from this Origin, is not answered; null: it is. */
  refusalOf(headers: IncomingHttpHeaders): Refusal | null;
  /** Whether an `authorization` carries the token, if there is one. */
  isTrusted(authorization: unknown): boolean;
}

export const tokenMissing: Refusal = { status: 401, code: 'UNAUTHENTICATED', message: 'Send the token of this server as "Authorization: Bearer …".' };

export function doorKeeper({ host, token, allowedHosts, allowedOrigins }: DoorSettings): DoorKeeper {
  const hosts = new Set([...loopbackHosts, bracketed(host), ...allowedHosts].map((name) => name.toLowerCase()));
  return {
    refusalOf: (headers) => {
      if (!hosts.has(hostNameOf(headers.host))) return forbidden(foreignHost);
      return isAllowedOrigin(headers, allowedOrigins) ? null : forbidden(foreignOrigin);
    },
    isTrusted: (authorization) => token === null || carriesToken(authorization, token),
  };
}

const foreignHost = 'The Host of this request is not one that this server answers to. Use localhost, or add the name to TRIBUTARY_ALLOWED_HOSTS.';
const foreignOrigin = 'Web pages of this Origin may not use this server. Add it to TRIBUTARY_ALLOWED_ORIGINS if they should.';

function forbidden(message: string): Refusal {
  return { status: 403, code: 'FORBIDDEN', message };
}

/** Host, Origin and token are checked before anything of a request is read: a web page that somebody happens to open must not reach the server. */
export function guardDoors(server: FastifyInstance, keeper: DoorKeeper): void {
  server.addHook('onRequest', async (request, reply) => {
    const refusal = keeper.refusalOf(request.headers);
    if (refusal !== null) return refuse(reply, refusal);
    if (openPaths.includes(pathOf(request)) || keeper.isTrusted(request.headers.authorization)) return undefined;
    return refuse(reply.header('www-authenticate', 'Bearer'), tokenMissing);
  });
}

function refuse(reply: FastifyReply, { status, code, message }: Refusal): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}

/** A page's Origin is ours when it is the very address that the request was sent to. */
function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  return origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase() || allowed.includes(origin);
}

function carriesToken(authorization: unknown, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(typeof authorization === 'string' ? authorization : '')?.[1] ?? '';
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
