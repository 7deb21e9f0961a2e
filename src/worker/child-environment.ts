/** Nothing of these holds a secret: paths of programs, certificates and files to read, language, and what the system itself needs. */
const passedOn = [
  'TRIBUTARY_FILE_ROOTS',
  'PATH',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'SystemRoot',
  'WINDIR',
];

/** DuckDB's threads, file reads and name look-ups share this pool; with the default of 4 they wait for one another. */
const threadPoolSize = '16';

/** By default each of those threads has an arena of its own and keeps what is freed in it: a hundred MiB more beside DuckDB's own allocator. */
const mallocArenas = '2';

/** The environment of a run's process. Secrets travel over the process channel only, and only those a run needs. */
export function childEnvironment(folder: string | null, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = passedOn.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]));
  const places = folder === null ? {} : { HOME: folder, TMPDIR: folder };
  return { ...Object.fromEntries(kept), ...places, TZ: 'UTC', UV_THREADPOOL_SIZE: threadPoolSize, MALLOC_ARENA_MAX: mallocArenas };
}
