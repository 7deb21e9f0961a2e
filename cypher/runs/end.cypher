// Ends a run that is still held by its claim: locks pipeline and run first, then looks.
// $id       string
// $epoch    integer          the claim's
// $from     list of strings  states from which `to` may be entered
// $to       string           COMPLETE, FAIL or ABORT
// $metrics  string           JSON
// $steps    string           JSON
// $error    string or null   JSON
// $lock     string           any value
// => pipelineId string, startedAt datetime, endedAt datetime, deleted boolean (the pipeline); no row when the run is not held by this claim any more
// Index: run_id
MATCH (run:Run {id: $id})-[:OF]->(pipeline:Job)
SET pipeline.lock = $lock
SET run.lock = $lock
WITH run, pipeline
WHERE run.state IN $from AND run.epoch = $epoch
SET
  run.state = $to,
  run.endedAt = datetime.truncate('microsecond', datetime.realtime()),
  run.metrics = $metrics,
  run.steps = $steps,
  run.error = $error,
  run.leaseUntil = null
SET pipeline.runningRunId = null
RETURN pipeline.id AS pipelineId, run.startedAt AS startedAt, run.endedAt AS endedAt, pipeline.deletedAt IS NOT NULL AS deleted
