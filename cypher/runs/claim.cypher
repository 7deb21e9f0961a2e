// Starts a queued run: locks pipeline and run first, then looks whether it may start.
// $runId         string
// $pipelineId    string
// $claim         string           unique to this claim
// $from          list of strings  states from which a run may start
// $worker        string           the process that holds it: no other has this name
// $leaseSeconds  integer          at least 1
// $lock          string           any value
// => run map, pipeline map, spec string (JSON of the version to run), cancelRequested boolean, failedAttempts integer, takeovers integer; no row when it may not start
// Index: job_id, run_id, pipeline_version
MATCH (pipeline:Job {id: $pipelineId})
SET pipeline.lock = $lock
WITH pipeline
MATCH (run:Run {id: $runId})
SET run.lock = $lock
WITH pipeline, run
WHERE run.state IN $from AND pipeline.runningRunId IS NULL AND (run.notBefore IS NULL OR run.notBefore <= datetime.realtime())
SET pipeline.epoch = pipeline.epoch + 1, pipeline.runningRunId = run.id
SET
  run.state = 'RUNNING',
  run.epoch = pipeline.epoch,
  run.attempt = run.attempt + 1,
  run.startedAt = coalesce(run.startedAt, datetime.truncate('microsecond', datetime.realtime())),
  run.claim = $claim,
  run.worker = $worker,
  run.notBefore = null,
  run.leaseUntil = datetime.realtime() + duration({seconds: $leaseSeconds})
WITH pipeline, run
MATCH (version:PipelineVersion {pipelineId: pipeline.id, version: run.pipelineVersion})
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run, pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline, version.spec AS spec, run.cancelRequestedAt IS NOT NULL AS cancelRequested, coalesce(run.failedAttempts, 0) AS failedAttempts, coalesce(run.takeovers, 0) AS takeovers
