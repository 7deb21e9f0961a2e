// Runs, newest first, behind a position.
// $since     string           RFC 3339: not queued before
// $beforeAt  string           RFC 3339: position
// $beforeId  string           position among runs queued at that time
// $states    list of strings  or null: all
// $limit     integer          at most so many
// => run map
// Index: run_queued
MATCH (run:Run)
WHERE run.queuedAt >= datetime($since) AND run.queuedAt <= datetime($beforeAt)
  AND (run.queuedAt < datetime($beforeAt) OR run.id < $beforeId)
  AND ($states IS NULL OR run.state IN $states)
RETURN run {.id, .pipelineId, .pipelineVersion, .state, .trigger, .attempt, .epoch, .queuedAt, .startedAt, .endedAt, .metrics, .steps, .error, .params, .retryOf, .notBefore} AS run
ORDER BY run.queuedAt DESC, run.id DESC
LIMIT $limit
