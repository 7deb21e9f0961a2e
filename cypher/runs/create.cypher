// Queues a run of a pipeline that is not deleted. Asked again with the same id, it gives the run made before.
// $id         string  UUIDv7
// $namespace  string  of the pipeline
// $name       string  of the pipeline
// $trigger    string  who or what asked for it
// $metrics    string  JSON: all zero
// $params     string or null  JSON: the values it was started with
// $key        string or null  idempotency key
// $retryOf    string or null  id of the run that it does again
// $lock       string  any value
// => run map, spec string (JSON of the version to run); no row when there is no such pipeline
// Index: job_key, run_id
MATCH (pipeline:Job {namespace: $namespace, name: $name})
SET pipeline.lock = $lock
WITH pipeline
WHERE pipeline.version > 0 AND pipeline.deletedAt IS NULL
MERGE (run:Run {id: $id})
ON CREATE SET
  run.pipelineId = pipeline.id,
  run.pipelineVersion = pipeline.version,
  run.state = 'QUEUED',
  run.trigger = $trigger,
  run.attempt = 0,
  run.epoch = 0,
  run.queuedAt = datetime.truncate('microsecond', datetime.realtime()),
  run.metrics = $metrics,
  run.params = $params,
  run.startKey = pipeline.id + '/' + $key,
  run.retryOf = $retryOf,
  run.steps = '[]'
MERGE (run)-[:OF]->(pipeline)
WITH run, pipeline
OPTIONAL MATCH (earlier:Run {id: $retryOf})
FOREACH (retried IN CASE WHEN earlier IS NULL THEN [] ELSE [earlier] END | MERGE (run)-[:RETRIES]->(retried))
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run, pipeline.spec AS spec
