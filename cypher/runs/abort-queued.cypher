// Ends runs that have not been started. To be called under the lock of their pipelines.
// $pipelineId  string          only runs of this pipeline
// $id          string or null  only this run, unless a worker was lost with it and so may have committed; null: all that are queued
// => id string
// Index: run_pipeline
MATCH (run:Run {pipelineId: $pipelineId})
WHERE run.queuedAt IS NOT NULL AND run.state = 'QUEUED' AND ($id IS NULL OR run.id = $id AND coalesce(run.failedAttempts, 0) = run.attempt)
SET run.state = 'ABORT', run.notBefore = null, run.endedAt = datetime.truncate('microsecond', datetime.realtime())
RETURN run.id AS id
