// The run that a pipeline was started with under a key, if any. Locks the pipeline first, so that two starts with one key are one.
// $namespace  string  of the pipeline
// $name       string  of the pipeline
// $key        string  idempotency key
// $lock       string  any value
// => run map; no row when the key is new
// Index: job_key, run_start_key
MATCH (pipeline:Job {namespace: $namespace, name: $name})
SET pipeline.lock = $lock
WITH pipeline
MATCH (run:Run {startKey: pipeline.id + '/' + $key})
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run
