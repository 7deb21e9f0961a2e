import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../lib/project-root.js';
import { printPipelineSchema } from './document.js';

/** A program: writes `schema/pipeline.schema.json`. */
await writeFile(join(projectRoot, 'schema', 'pipeline.schema.json'), printPipelineSchema());
