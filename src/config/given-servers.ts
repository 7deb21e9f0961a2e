/** Neo4j that the environment names. */
export interface GivenNeo4j {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
}

/** What may stand in front of an address, and what it should look like. Values are never shown: they may hold passwords. */
interface AddressForm {
  readonly variable: string;
  readonly schemes: readonly string[];
  readonly example: string;
}

const neo4jForm: AddressForm = {
  variable: 'NEO4J_URI',
  schemes: ['neo4j:', 'neo4j+s:', 'neo4j+ssc:', 'bolt:', 'bolt+s:', 'bolt+ssc:'],
  example: 'neo4j://graph.example:7687',
};
const mongodbForm: AddressForm = { variable: 'MONGODB_URI', schemes: ['mongodb:', 'mongodb+srv:'], example: 'mongodb://documents.example:27017/tributary' };
const postgresForm: AddressForm = {
  variable: 'TRIBUTARY_EXAMPLE_POSTGRES_URL',
  schemes: ['postgres:', 'postgresql:'],
  example: 'postgres://user:password@database.example:5432/postgres',
};

/** Adds to `problems` what is wrong; null when the variable is absent or wrong. */
export function givenNeo4j(environment: NodeJS.ProcessEnv, problems: string[]): GivenNeo4j | null {
  const uri = address(neo4jForm, environment, problems);
  const password = environment['NEO4J_PASSWORD'];
  if (uri === null) return null;
  if (password === undefined) problems.push('NEO4J_URI is set and NEO4J_PASSWORD is not: set it to the password of NEO4J_USER (default neo4j).');
  return { uri, user: environment['NEO4J_USER'] || 'neo4j', password: password ?? '' };
}

export function givenMongodb(environment: NodeJS.ProcessEnv, problems: string[]): string | null {
  return address(mongodbForm, environment, problems);
}

export function givenPostgres(environment: NodeJS.ProcessEnv, problems: string[]): string | null {
  const url = address(postgresForm, environment, problems);
  if (url === null) return null;
  const { username, password } = new URL(url);
  if (username !== '' && password !== '') return url;
  problems.push(`${postgresForm.variable} must hold a user and a password, as in ${postgresForm.example}.`);
  return null;
}

function address({ variable, schemes, example }: AddressForm, environment: NodeJS.ProcessEnv, problems: string[]): string | null {
  const text = environment[variable]?.trim() ?? '';
  if (text === '') return null;
  if (schemes.some((scheme) => text.startsWith(`${scheme}//`)) && parses(text)) return text;
  problems.push(`${variable} is not an address that can be used: it must look like ${example}.`);
  return null;
}

/** MongoDB addresses may name several hosts, which is no URL: only the first is looked at. */
function parses(text: string): boolean {
  return URL.canParse(text.replace(/,[^/?@]*(?=[/?]|$)/, ''));
}
