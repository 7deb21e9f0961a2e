import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../src/config/settings.js';

const problemsOf = (environment: NodeJS.ProcessEnv): string => {
  try {
    readSettings(environment, '/project');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('readSettings', () => {
  it('has a default for everything', () => {
    expect(readSettings({}, '/project')).toEqual({
      host: '127.0.0.1',
      port: 4000,
      token: null,
      allowedHosts: [],
      allowedOrigins: [],
      logLevel: 'info',
      stateFolder: '/project/.tributary',
      fileRoots: ['/project/.tributary/files'],
      example: true,
      runSlots: null,
      neo4j: null,
      mongodbUri: null,
      mongodbKind: null,
      examplePostgresUrl: null,
    });
  });

  it('takes an empty variable as absent', () => {
    expect(readSettings({ PORT: '', NEO4J_URI: ' ' }, '/project')).toMatchObject({ port: 4000, neo4j: null });
  });

  it('names every wrong variable and what was expected', () => {
    const message = problemsOf({ PORT: '4e3', TRIBUTARY_EXAMPLE: 'maybe', TRIBUTARY_RUNS_AT_ONCE: '0', TRIBUTARY_ALLOWED_ORIGINS: 'https://a.example,b' });
    expect(message).toContain('PORT is "4e3": it must be a whole number from 0 to 65535.');
    expect(message).toContain('TRIBUTARY_EXAMPLE is "maybe": it must be one of yes, no.');
    expect(message).toContain('TRIBUTARY_RUNS_AT_ONCE is "0": it must be a whole number from 1 to 64.');
    expect(message).toContain('TRIBUTARY_ALLOWED_ORIGINS is "https://a.example,b": it must be a list with commas');
  });

  it('shows no address and no token, which may be secrets', () => {
    const message = problemsOf({
      NEO4J_URI: 'http://neo4j:hunter1@graph',
      MONGODB_URI: 'mysql://u:hunter2@documents',
      TRIBUTARY_EXAMPLE_POSTGRES_URL: 'postgres://hunter3@db/postgres',
      TRIBUTARY_TOKEN: 'hunter4 ',
    });
    expect(message).toMatch(/NEO4J_URI.*MONGODB_URI.*TRIBUTARY_EXAMPLE_POSTGRES_URL/);
    expect(message).not.toContain('hunter');
  });

  it('takes a MongoDB address of several hosts', () => {
    const uri = 'mongodb://user:pass@one.example:27017,two.example:27018/tributary?replicaSet=rs0';
    expect(readSettings({ MONGODB_URI: uri }, '/project').mongodbUri).toBe(uri);
  });

  it('wants a password with the address of a Neo4j', () => {
    expect(problemsOf({ NEO4J_URI: 'neo4j://graph.example:7687' })).toContain('NEO4J_URI is set and NEO4J_PASSWORD is not');
    expect(readSettings({ NEO4J_URI: 'neo4j+s://graph.example', NEO4J_PASSWORD: 'p' }, '/project').neo4j).toEqual({
      uri: 'neo4j+s://graph.example',
      user: 'neo4j',
      password: 'p',
    });
  });

  it('wants a token where other machines can reach the server', () => {
    expect(problemsOf({ HOST: '0.0.0.0' })).toContain('TRIBUTARY_TOKEN is not set');
    expect(problemsOf({ HOST: '0.0.0.0', TRIBUTARY_TOKEN: 'a-token-of-enough-characters' })).toBe('');
    expect(problemsOf({ HOST: '::1' })).toBe('');
  });
});
