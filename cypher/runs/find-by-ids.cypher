// The runs of these ids; an id that is not there gives no row.
// $ids  list of strings
// => run map, pipelineName string
// Index: run_id
UNWIND $ids AS id
MATCH (run:Run {id: id})-[:OF]->(pipeline:Job)
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run, pipeline.name AS pipelineName
