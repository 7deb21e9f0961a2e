import type { FastifyInstance } from 'fastify';
import { isPlatformError } from '../model/errors.js';

/** By the name of the part: resolves when the part answers, rejects with what is wrong. */
export type Readiness = Readonly<Record<string, () => Promise<void>>>;

interface PartState {
  readonly ready: boolean;
  /** null when it is ready. */
  readonly problem: string | null;
}

/** How long a part may take to answer, in milliseconds. */
const patienceMs = 2_000;

/** `/healthz`: the process answers. `/readyz`: every part answers; 503 and which does not, otherwise. */
export function addHealth(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const states = await Promise.all(Object.entries(readiness).map(async ([name, ask]) => [name, await stateOf(ask)] as const));
    const ready = states.every(([, state]) => state.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts: Object.fromEntries(states) });
  });
}

async function stateOf(ask: () => Promise<void>): Promise<PartState> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<PartState>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, problem: `No answer within ${patienceMs / 1000} s.` }), patienceMs);
  });
  try {
    return await Promise.race([answerOf(ask), silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** The text of a foreign error is not shown: it may hold addresses and credentials. */
async function answerOf(ask: () => Promise<void>): Promise<PartState> {
  try {
    await ask();
    return { ready: true, problem: null };
  } catch (error) {
    return { ready: false, problem: isPlatformError(error) ? error.message : 'It does not answer.' };
  }
}
