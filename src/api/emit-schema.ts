import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';
import { buildGraphqlSchema, printGraphqlSchema } from './schema.js';

/** A program: writes `schema/schema.graphql`. */
await writeFile(join(projectRoot, 'schema', 'schema.graphql'), printGraphqlSchema(buildGraphqlSchema()));
