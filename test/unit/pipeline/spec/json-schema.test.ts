import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../../../src/lib/project-root.js';
import { pipelineJsonSchema, printPipelineSchema } from '../../../../src/pipeline/spec/document.js';

describe('schema/pipeline.schema.json', () => {
  it('is in step with the document that is parsed; written by src/pipeline/spec/emit-schema.ts', async () => {
    expect(await readFile(join(projectRoot, 'schema', 'pipeline.schema.json'), 'utf8')).toBe(printPipelineSchema());
  });

  it('names the keys of a document and allows no other', () => {
    const { properties, required, additionalProperties } = pipelineJsonSchema() as { properties: object; required: string[]; additionalProperties: boolean };
    expect(Object.keys(properties)).toEqual([
      'version',
      'name',
      'namespace',
      'owners',
      'description',
      'inputs',
      'steps',
      'outputs',
      'retry',
      'limits',
      'params',
    ]);
    expect(required).toEqual(['version', 'name', 'namespace', 'inputs', 'outputs']);
    expect(additionalProperties).toBe(false);
  });
});
