import { isIdentifier } from './identifiers.js';

export interface PostgresConfig {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export const secretFields = ['password'] as const;

const fields = ['host', 'port', 'database', 'user', 'password'];
const loopbackHosts = new Set(['127.0.0.1', '::1', '[::1]', 'localhost']);

/** Everything that is wrong with the fields, each as a sentence. The password may still be a reference. */
export function configProblems(config: Readonly<Record<string, unknown>>): string[] {
  const problems = Object.keys(config)
    .filter((field) => !fields.includes(field))
    .map((field) => `Unknown field "${field}": a postgres connection has ${fields.join(', ')}.`);
  for (const field of ['host', 'database', 'user', 'password']) {
    const value = config[field];
    if (typeof value !== 'string' || value === '') problems.push(`"${field}" must be a text that is not empty.`);
  }
  if (typeof config['host'] === 'string' && /[\s/@?#]/.test(config['host']))
    problems.push('"host" must be a host name or an address, without a scheme, port or path.');
  for (const field of ['database', 'user']) {
    const value = config[field];
    if (typeof value === 'string' && value !== '' && !isIdentifier(value)) problems.push(`"${field}" must be at most 63 bytes long and without NUL.`);
  }
  const port = config['port'] ?? 5432;
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65535) problems.push('"port" must be a whole number from 1 to 65535.');
  return problems;
}

/** The config in use; call only when there are no problems. */
export function toPostgresConfig(config: Readonly<Record<string, unknown>>): PostgresConfig {
  return {
    host: String(config['host']),
    port: Number(config['port'] ?? 5432),
    database: String(config['database']),
    user: String(config['user']),
    password: String(config['password']),
  };
}

/** `postgres://{host}:{port}`, as OpenLineage's naming has it; the local host always by the one name `localhost`. */
export function datasetNamespace(config: Readonly<Record<string, unknown>>): string {
  const { host, port } = toPostgresConfig(config);
  return `postgres://${loopbackHosts.has(host.toLowerCase()) ? 'localhost' : host.toLowerCase()}:${port}`;
}
