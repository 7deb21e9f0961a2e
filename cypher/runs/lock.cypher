// Locks a run and its pipeline until the transaction ends.
// $id    string
// $lock  string  any value
// => run map
// Index: run_id
MATCH (run:Run {id: $id})-[:OF]->(pipeline:Job)
SET pipeline.lock = $lock
SET run.lock = $lock
WITH run
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run
