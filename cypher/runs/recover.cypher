// Queues again every run whose lease has passed or whose worker is known to have ended.
// The epoch is raised, so that no late result of that worker is taken.
// $from     list of strings  states from which QUEUED may be entered
// $workers  list of strings  workers that have ended: their leases need not pass first
// $lock     string           any value
// => id string: the runs that are queued again
// Index: run_state, run_id
MATCH (held:Run)-[:OF]->(pipeline:Job)
WHERE held.state IN $from AND held.queuedAt IS NOT NULL AND (held.worker IN $workers OR held.leaseUntil < datetime.realtime())
WITH held, pipeline
ORDER BY pipeline.id
SET pipeline.lock = $lock
SET held.lock = $lock
WITH held.id AS id
MATCH (run:Run {id: id})-[:OF]->(pipeline:Job)
WHERE run.state IN $from AND (run.worker IN $workers OR run.leaseUntil < datetime.realtime())
SET pipeline.epoch = pipeline.epoch + 1, pipeline.runningRunId = null
SET
  run.state = 'QUEUED',
  run.epoch = pipeline.epoch,
  run.takeovers = coalesce(run.takeovers, 0) + 1,
  run.worker = null,
  run.leaseUntil = null
RETURN run.id AS id
