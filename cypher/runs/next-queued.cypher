// Locks the queue and chooses the run queued longest whose pipeline has no running one and that need not wait for its next attempt.
// $lock  string  any value
// => runId string, pipelineId string; no row when there is nothing to do
// Index: queue_id, run_state
MATCH (queue:Queue {id: 'runs'})
SET queue.lock = $lock
WITH queue
CALL (queue) {
  MATCH (run:Run {state: 'QUEUED'})
  WHERE run.queuedAt IS NOT NULL AND (run.notBefore IS NULL OR run.notBefore <= datetime.realtime())
  MATCH (run)-[:OF]->(pipeline:Job)
  WHERE pipeline.runningRunId IS NULL
  RETURN run.id AS runId, pipeline.id AS pipelineId
  ORDER BY run.queuedAt, run.id
  LIMIT 1
}
RETURN runId, pipelineId
