import { PlatformError } from '../model/errors.js';
import type { ParamSpec } from '../model/pipeline-spec.js';
import type { RunParams } from '../model/run.js';

type ParamSpecs = Readonly<Record<string, ParamSpec>>;
type ValueKind = 'text' | 'number' | 'boolean';

const numberTypes =
  /^(u?(tiny|small|big|huge)int|u?int(eger)?(1|2|4|8|16|32|64|128)?|short|long|signed|varint|bignum|decimal|dec|numeric|real|float(4|8)?|double( precision)?)$/;
/** Characters of all values as JSON. */
const longestParams = 100_000;
const booleanTypes = /^(bool|boolean|logical)$/;

/**
 * Holds the values that a run is to be started with against the params of its document. Whether a text is a date or a number is
 * found by the run's process, which knows every type.
 *
 * @param given  a JSON value from outside; null or undefined: none
 * @returns the values as they were given; null when there are none
 * @throws PlatformError BAD_USER_INPUT that names the param
 */
export function checkParams(specs: ParamSpecs, given: unknown): RunParams | null {
  const values = given === null || given === undefined ? {} : asObject(given);
  if (JSON.stringify(values).length > longestParams)
    throw new PlatformError('BAD_USER_INPUT', `\`params\` are longer than ${longestParams} characters of JSON.`);
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(specs, name));
  if (unknown !== undefined) throw refused(`This pipeline has no param "${unknown}"; ${known(specs)}.`, unknown);
  for (const [name, { type, default: usual }] of Object.entries(specs)) {
    if (Object.hasOwn(values, name)) assertKind(name, type, values[name]);
    else if (usual === undefined) throw refused(`Param "${name}" (${type}) has no default, so that a value for it must be given in \`params\`.`, name);
  }
  return Object.keys(values).length === 0 ? null : (values as RunParams);
}

/** Every param of the document as text, defaults filled in; null: NULL. */
export function paramTexts(specs: ParamSpecs, given: RunParams | null): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { default: usual = null }]) => {
      const value = given !== null && Object.hasOwn(given, name) ? (given[name] ?? null) : usual;
      return [name, value === null ? null : String(value)];
    }),
  );
}

function asObject(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>;
  throw new PlatformError('BAD_USER_INPUT', `\`params\` is ${named(given)}; it must be an object of names and values.`);
}

function assertKind(name: string, type: string, value: unknown): void {
  if (value === null) return;
  const kind = kindOf(type);
  const fits = typeof value === 'string' ? kind !== 'boolean' : typeof value === kind;
  if (!fits) throw refused(`Param "${name}" is of type ${type}, so that its value must be ${expected[kind]}; it is ${named(value)}.`, name);
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw refused(`The value of param "${name}" has more digits than a JSON number keeps. Write it as a string.`, name);
  }
}

const expected: Readonly<Record<ValueKind, string>> = { text: 'a string', number: 'a number, or a string that holds one', boolean: 'true or false' };

function kindOf(type: string): ValueKind {
  const word = type.toLowerCase().replace(/\(.*$/s, '').trim();
  if (type.includes('[')) return 'text';
  if (booleanTypes.test(word)) return 'boolean';
  return numberTypes.test(word) ? 'number' : 'text';
}

function known(specs: ParamSpecs): string {
  const names = Object.keys(specs);
  return names.length === 0 ? 'it has none' : `it has ${names.map((name) => `"${name}"`).join(', ')}`;
}

function named(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a string', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'an object';
}

function refused(message: string, param: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message, { context: { param } });
}
