import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** The floor, in a process of its own, as psql's `\copy` does it: the bytes of a CSV file into `COPY … FROM STDIN`. Arguments: file, URL, table. */
const [file = '', url, table] = process.argv.slice(2);
const client = new pg.Client({ connectionString: url });
await client.connect();
await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT csv, HEADER true)`)));
await client.end();
