import { isDateTime } from 'neo4j-driver';

/** A record, or a map in one. */
export interface Fields {
  get(field: string): unknown;
}

/** Readers of one field of a record. Each throws when the graph holds something else than was expected. */
export function text(record: Fields, field: string): string {
  const value = record.get(field);
  return typeof value === 'string' ? value : unexpected(field, 'a string', value);
}

export function optionalText(record: Fields, field: string): string | null {
  return isAbsent(record, field) ? null : text(record, field);
}

export function integer(record: Fields, field: string): number {
  const value = record.get(field);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : unexpected(field, 'a whole number', value);
}

export function optionalInteger(record: Fields, field: string): number | null {
  return isAbsent(record, field) ? null : integer(record, field);
}

export function boolean(record: Fields, field: string): boolean {
  const value = record.get(field);
  return typeof value === 'boolean' ? value : unexpected(field, 'true or false', value);
}

export function optionalBoolean(record: Fields, field: string): boolean | null {
  return isAbsent(record, field) ? null : boolean(record, field);
}

export function texts(record: Fields, field: string): string[] {
  const value = record.get(field);
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : unexpected(field, 'a list of strings', value);
}

export function integers(record: Fields, field: string): number[] {
  const value = record.get(field);
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item)) ? value : unexpected(field, 'a list of whole numbers', value);
}

/** A point in time as RFC 3339 in UTC, with microseconds. */
export function time(record: Fields, field: string): string {
  const value = record.get(field);
  if (!isDateTime(value)) return unexpected(field, 'a point in time', value);
  const toSecond = value.toStandardDate().toISOString().slice(0, 19);
  const microseconds = Math.floor(Number(value.nanosecond) / 1000);
  return `${toSecond}.${String(microseconds).padStart(6, '0')}Z`;
}

export function optionalTime(record: Fields, field: string): string | null {
  return isAbsent(record, field) ? null : time(record, field);
}

/** What was stored as a JSON string, because the graph stores no maps. */
export function json<T>(record: Fields, field: string): T {
  return JSON.parse(text(record, field)) as T;
}

export function optionalJson<T>(record: Fields, field: string): T | null {
  return isAbsent(record, field) ? null : json<T>(record, field);
}

/** The fields of a map. */
export function fields(record: Fields, field: string): Fields {
  const value = record.get(field);
  if (typeof value !== 'object' || value === null) return unexpected(field, 'a map', value);
  const map = new Map(Object.entries(value));
  return { get: (name) => map.get(name) };
}

/** A list of maps. */
export function maps(record: Fields, field: string): Fields[] {
  const value = record.get(field);
  if (!Array.isArray(value)) return unexpected(field, 'a list of maps', value);
  return value.map((item: unknown) => fields({ get: () => item }, field));
}

function isAbsent(record: Fields, field: string): boolean {
  const value = record.get(field);
  return value === null || value === undefined;
}

function unexpected(field: string, wanted: string, found: unknown): never {
  throw new TypeError(`The graph's field ${field} should be ${wanted}, but it is ${found === null ? 'null' : typeof found}.`);
}
