import type { Connection } from '../model/connection.js';
import type { Connector } from '../model/connector.js';
import { PlatformError } from '../model/errors.js';

const reference = /^\$\{env:(TRIBUTARY_SECRET_[A-Z0-9_]+)\}$/;

/**
 * What is wrong with the secrets of a config: a secret must be a reference, and a reference may stand only where a secret is,
 * so that no client can have another variable sent to a host of its own. No sentence repeats a value.
 */
export function secretProblems(config: Readonly<Record<string, unknown>>, secretFields: readonly string[]): string[] {
  return Object.entries(config).flatMap(([field, value]) => {
    if (secretFields.includes(field)) {
      const isReference = typeof value === 'string' && reference.test(value);
      return isReference ? [] : [`\`${field}\` is a secret: write it as \${env:TRIBUTARY_SECRET_…} and set that variable where the server runs.`];
    }
    return holdsReference(value) ? [`\`${field}\` is not a secret, so it cannot be an \${env:…} reference; write the value itself.`] : [];
  });
}

/** The config with every secret in place. For opening the connection only: never to be stored, logged or answered. */
export function withSecrets(connection: Connection, connector: Connector, secret: (name: string) => string | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(connection.config).map(([field, value]) => {
      const name = connector.secretFields.includes(field) && typeof value === 'string' ? reference.exec(value)?.[1] : undefined;
      return [field, name === undefined ? value : secretOf(name, connection, secret)];
    }),
  );
}

function secretOf(name: string, connection: Connection, secret: (name: string) => string | undefined): string {
  const value = secret(name);
  if (value === undefined || value === '') {
    throw new PlatformError(
      'SECRET_MISSING',
      `Connection ${connection.name} needs the variable ${name}, which is not set where the server runs; set it and start the server again.`,
      {
        context: { connection: connection.name, variable: name },
      },
    );
  }
  return value;
}

function holdsReference(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${env:');
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsReference);
}
