// Queues again every run that an installation held, and raises the epoch, so that no late result of theirs is taken.
// $installation  string
// $expiredOnly   boolean  only those whose lease has passed
// $lock          string   any value
// => id string
// Index: run_state, run_id
MATCH (held:Run {state: 'RUNNING'})-[:OF]->(pipeline:Job)
WHERE held.queuedAt IS NOT NULL AND held.installation = $installation AND (NOT $expiredOnly OR held.leaseUntil < datetime.realtime())
SET pipeline.lock = $lock
SET held.lock = $lock
WITH held.id AS id
MATCH (run:Run {id: id})-[:OF]->(pipeline:Job)
WHERE run.state = 'RUNNING' AND run.installation = $installation AND (NOT $expiredOnly OR run.leaseUntil < datetime.realtime())
SET pipeline.epoch = pipeline.epoch + 1, pipeline.runningRunId = null
SET
  run.state = 'QUEUED',
  run.epoch = pipeline.epoch,
  run.worker = null,
  run.installation = null,
  run.leaseUntil = null
RETURN run.id AS id
