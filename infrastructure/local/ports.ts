import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that systems hand out for outgoing connections, so that a kept port is seldom taken by one. */
const lowest = 20_000;
const highest = 32_000;

/** True when a server could listen on this port now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free loopback port was found between ${lowest} and ${highest}.`);
}
