import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** The floor, in a process of its own: `COPY … TO STDOUT | COPY … FROM STDIN`, bytes handed on as they come. Arguments: source URL, destination URL, table. */
const [sourceUrl, destinationUrl, table] = process.argv.slice(2);
const source = new pg.Client({ connectionString: sourceUrl });
const destination = new pg.Client({ connectionString: destinationUrl });
await Promise.all([source.connect(), destination.connect()]);
await pipeline(source.query(copyTo(`COPY ${table} TO STDOUT`)), destination.query(copyFrom(`COPY ${table} FROM STDIN`)));
await Promise.all([source.end(), destination.end()]);
