/** What a process does: everything, only the API, or only the runs. */
export type ProcessRole = (typeof processRoles)[number];

const processRoles = ['all', 'api', 'worker'] as const;

export const usage = `Usage: npm start [-- --only api|worker]

  (nothing)       the API and the runs in one process, and the example
  --only api      the API alone: runs are queued, and executed by other processes
  --only worker   executes runs and listens on no port

Any number of "--only" processes may use one state folder or the same Neo4j and MongoDB.
Everything else is set by environment variables, which README.md lists.
`;

/** @returns the role; 'help' when that is asked for; a sentence about what is wrong */
export function readArguments(given: readonly string[]): { readonly role: ProcessRole } | 'help' | { readonly problem: string } {
  const words = given.flatMap((word) => (word.startsWith('--only=') ? ['--only', word.slice('--only='.length)] : [word]));
  if (words.includes('--help') || words.includes('-h')) return 'help';
  const [option, value, ...rest] = words;
  if (option === undefined) return { role: 'all' };
  if (option !== '--only') return { problem: `There is no argument ${JSON.stringify(option)}.` };
  if (value !== 'api' && value !== 'worker')
    return { problem: `--only must be followed by api or worker${value === undefined ? '' : `, not ${JSON.stringify(value)}`}.` };
  return rest[0] === undefined ? { role: value } : { problem: `There is an argument too many: ${JSON.stringify(rest[0])}.` };
}
