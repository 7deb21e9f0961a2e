// Asks the worker of a running run to end it. The first request's time is kept.
// $id  string
// => id string
// Index: run_id
MATCH (run:Run {id: $id})
SET run.cancelRequestedAt = coalesce(run.cancelRequestedAt, datetime())
RETURN run.id AS id
