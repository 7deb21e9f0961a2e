import { isAbsolute } from 'node:path';
import { z } from 'zod';

export const fileFormats = ['csv', 'ndjson', 'parquet'] as const;
export type FileFormat = (typeof fileFormats)[number];

/** How CSV files are written; what is not given depends on the file: a tab for `.tsv`, else a comma. */
export interface CsvConfig {
  /** null: by the file's name. */
  readonly delimiter: string | null;
  /** Empty: nothing is quoted. */
  readonly quote: string;
  /** What makes a quote inside quotes a part of the value; the quote itself when it is doubled. */
  readonly escape: string;
  readonly header: boolean;
  /** What stands for NULL when it is not quoted. */
  readonly nullText: string;
  readonly encoding: string;
  readonly types: 'detect' | 'text';
}

export interface FileConfig {
  /** Absolute. */
  readonly folder: string;
  /** Of files whose name does not say it. */
  readonly format: FileFormat | null;
  readonly csv: CsvConfig;
}

const separator = z
  .string()
  .regex(/^[\t -~]$/, 'must be one character of ASCII')
  .regex(/^[^A-Za-z0-9\r\n]$/, 'must not be a letter or a digit');
const encoding = z.string().refine(isEncoding, 'must be the name of an encoding, as utf-8, windows-1252 or utf-16le');

const csv = z.strictObject({
  delimiter: separator.nullable().default(null),
  quote: separator.or(z.literal('')).default('"'),
  escape: separator.or(z.literal('')).optional(),
  header: z.boolean().default(true),
  nullText: z
    .string()
    .max(100)
    .regex(/^[^"\r\n\0]*$/, 'must have no quote and no line end')
    .default(''),
  encoding: encoding.default('utf-8'),
  types: z.enum(['detect', 'text']).default('detect'),
});

const config = z.strictObject({
  folder: z.string().refine((folder) => isAbsolute(folder) && !folder.includes('\0'), 'must be an absolute path'),
  format: z.enum(fileFormats).nullable().default(null),
  csv: csv.default(csv.parse({})),
});

/** Everything that is wrong with the fields, each as a sentence. */
export function configProblems(given: Readonly<Record<string, unknown>>): string[] {
  const parsed = config.safeParse(given);
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'The config' : `"${path.join('.')}"`}: ${message}.`);
  const dialect = toFileConfig(given).csv;
  const { delimiter, quote } = dialect;
  const clashes = (delimiter !== null && [quote, dialect.escape].includes(delimiter)) || (quote === '' && dialect.escape !== '');
  return clashes ? ['"csv": the delimiter must differ from quote and escape, and without a quote there is no escape.'] : [];
}

/** The config in use; call only when there are no problems. */
export function toFileConfig(given: Readonly<Record<string, unknown>>): FileConfig {
  const { folder, format, csv: dialect } = config.parse(given);
  return { folder, format, csv: { ...dialect, escape: dialect.escape ?? dialect.quote } };
}

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding.length > 0;
  } catch {
    return false;
  }
}
