import { DuckDBInstance } from '@duckdb/node-api';

/** A statement in a DuckDB of its own, with all the memory and all the processors it wants. Arguments: the statement. */
const [statement = ''] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run(statement);
connection.closeSync();
