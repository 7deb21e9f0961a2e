// Queues a run again that is still held by its claim: locks pipeline and run first, then looks.
// The epoch is raised, so that no late result of this attempt is taken. A run that is asked to end is not made to wait.
// $id       string
// $epoch    integer          the claim's
// $from     list of strings  states from which QUEUED may be entered
// $delayMs  integer          it is not claimed before so much time has passed, in milliseconds
// $failed   boolean          the attempt has failed and counts as one of those the document allows
// $metrics  string or null   JSON; null: as they were recorded last
// $steps    string or null   JSON; null: as they were recorded last
// $error    string or null   JSON; null: as it was
// $lock     string           any value
// => id string; no row when the run is not held by this claim any more
// Index: run_id
MATCH (run:Run {id: $id})-[:OF]->(pipeline:Job)
SET pipeline.lock = $lock
SET run.lock = $lock
WITH run, pipeline
WHERE run.state IN $from AND run.epoch = $epoch
SET pipeline.epoch = pipeline.epoch + 1, pipeline.runningRunId = null
SET
  run.state = 'QUEUED',
  run.epoch = pipeline.epoch,
  run.failedAttempts = coalesce(run.failedAttempts, 0) + CASE WHEN $failed THEN 1 ELSE 0 END,
  run.notBefore = CASE
    WHEN $delayMs > 0 AND run.cancelRequestedAt IS NULL
    THEN datetime.truncate('microsecond', datetime.realtime() + duration({milliseconds: $delayMs}))
  END,
  run.metrics = coalesce($metrics, run.metrics),
  run.steps = coalesce($steps, run.steps),
  run.error = coalesce($error, run.error),
  run.worker = null,
  run.leaseUntil = null
RETURN run.id AS id
