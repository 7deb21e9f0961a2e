import { describe, expect, it } from '@jest/globals';
import { MavenProgress } from '../../../infrastructure/local/maven-progress.js';

describe('MavenProgress', () => {
  it('counts files and megabytes and never shows where they come from', () => {
    const told: string[] = [];
    const progress = new MavenProgress((text) => told.push(text), 0);
    progress.line('[INFO] Downloading from central: https://registry.example/maven2/org/neo4j/neo4j/5.26.30/neo4j-5.26.30.jar');
    progress.line('[INFO] Downloaded from central: https://registry.example/maven2/org/neo4j/neo4j/5.26.30/neo4j-5.26.30.pom (13 kB at 130 kB/s)');
    progress.line('Downloaded from central: https://registry.example/maven2/org/neo4j/neo4j/5.26.30/neo4j-5.26.30.jar (6.7 MB at 74 MB/s)');
    progress.end();
    expect(told).toEqual(['fetching: 1 files, 0 MB so far', 'fetching: 2 files, 7 MB so far', 'fetched: 2 files, 7 MB']);
  });

  it('says nothing when everything was there already', () => {
    const told: string[] = [];
    const progress = new MavenProgress((text) => told.push(text), 0);
    progress.line('[INFO] BUILD SUCCESS');
    progress.end();
    expect(told).toEqual([]);
  });
});
