// The run that a claim took whose answer was lost.
// $claim  string
// => run map, pipeline map, spec string (JSON of the version to run), cancelRequested boolean, failedAttempts integer, takeovers integer
// Index: run_claim, pipeline_version
MATCH (run:Run {claim: $claim})-[:OF]->(pipeline:Job)
MATCH (version:PipelineVersion {pipelineId: pipeline.id, version: run.pipelineVersion})
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run, pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline, version.spec AS spec, run.cancelRequestedAt IS NOT NULL AS cancelRequested, coalesce(run.failedAttempts, 0) AS failedAttempts, coalesce(run.takeovers, 0) AS takeovers
