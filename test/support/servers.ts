/** The servers that the global setup started or that the TEST_… variables name. Read when used, so that unit tests need none. */
export const servers = {
  get neo4j(): { readonly uri: string; readonly user: string; readonly password: string } {
    return { uri: variable('TEST_NEO4J_URI'), user: variable('TEST_NEO4J_USER'), password: variable('TEST_NEO4J_PASSWORD') };
  },
  get mongodb(): { readonly uri: string } {
    return { uri: variable('TEST_MONGODB_URI') };
  },
  /** Of a superuser. */
  get postgres(): { readonly url: string } {
    return { url: variable('TEST_POSTGRES_URL') };
  },
};

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the global setup of the test project "servers" sets it.`);
  return value;
}
