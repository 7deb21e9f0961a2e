import { join } from 'node:path';
import { makeShop, type ShopDatabases } from '../infrastructure/local/shop.js';
import { makeWave, type ShopWave } from '../infrastructure/local/shop-waves.js';
import { showFirstRun } from './cli/first-run.js';
import { padded, type Terminal } from './cli/terminal.js';
import type { Settings } from './config/settings.js';
import { projectRoot } from './lib/project-root.js';

/** The variable by which the example's connections name their password. */
export const exampleSecret = 'TRIBUTARY_SECRET_EXAMPLE_POSTGRES';

export type ExampleShop = ShopDatabases | { readonly problem: string } | 'unwanted';

/** Never rejects: the server is of use without the example. */
export async function makeExampleShop(postgresUrl: string | null): Promise<ExampleShop> {
  if (postgresUrl === null) return 'unwanted';
  try {
    const shop = await makeShop(postgresUrl);
    process.env[exampleSecret] = shop.password;
    return shop;
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

export interface ExampleRequest {
  readonly settings: Settings;
  /** Of the API. */
  readonly url: string;
  readonly postgresUrl: string;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Runs the example's pipelines and prints what came of it. */
export async function showExample(shop: ExampleShop, { settings, url, postgresUrl, terminal, signal }: ExampleRequest): Promise<void> {
  if (shop === 'unwanted') return;
  if ('problem' in shop) {
    terminal.line(`  ${terminal.bad('The example shop could not be made.')} ${shop.problem}\n`);
    return;
  }
  const state = shop.made ? 'made: 20,000 customers, 200,000 orders, 400,000 payments' : 'found as the first start made it';
  terminal.line(`  ${padded('Example', 11)} shop ${state}`);
  await showFirstRun({
    url,
    token: settings.token,
    signal,
    examples: join(projectRoot, 'examples'),
    server: { host: shop.host, port: shop.port, user: shop.user },
    databases: { shop: shop.shop, warehouse: shop.warehouse },
    nextWave: async () => describeWave(await makeWave(postgresUrl)),
    terminal,
  });
}

function describeWave({ number, newOrders, cancelledOrders, correctedOrders, movedCustomers }: ShopWave): string {
  return `The shop's day goes on (${number}): ${newOrders} new orders, ${cancelledOrders} cancelled, ${correctedOrders} corrected, ${movedCustomers} customers moved.`;
}
