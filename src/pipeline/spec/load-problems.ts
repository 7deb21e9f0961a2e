import type { SpecIssue } from '../../model/errors.js';
import type { LoadSpec, PipelineSpec } from '../../model/pipeline-spec.js';

/** What does not fit together within the load of an output. */
export function loadProblems(spec: PipelineSpec): SpecIssue[] {
  return spec.outputs.flatMap(({ load }, index) => problemsOf(load, `outputs[${index}].load`));
}

function problemsOf({ mode, key, orderBy, minRatio }: LoadSpec, path: string): SpecIssue[] {
  if (mode === 'upsert' && key.length === 0) return [{ path: `${path}.key`, message: 'An upsert needs a key: the columns that identify a row.' }];
  if (mode === 'append' && (key.length > 0 || orderBy !== null))
    return [{ path, message: 'An append has neither key nor orderBy. Use mode upsert, or remove them.' }];
  if (mode === 'overwrite' && orderBy !== null && key.length === 0)
    return [{ path: `${path}.orderBy`, message: 'orderBy decides between rows with one key. Add a key, or remove it.' }];
  if (mode !== 'overwrite' && minRatio > 0) return [{ path: `${path}.minRatio`, message: 'minRatio belongs to mode overwrite. Remove it.' }];
  if (new Set(key).size < key.length) return [{ path: `${path}.key`, message: 'A column stands in the key twice.' }];
  return [];
}
