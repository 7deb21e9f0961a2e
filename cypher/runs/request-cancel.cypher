// Asks the worker of a run to end it, the next one when none has it now. The first request's time is kept.
// $id  string
// => id string
// Index: run_id
MATCH (run:Run {id: $id})
SET run.cancelRequestedAt = coalesce(run.cancelRequestedAt, datetime()), run.notBefore = null
RETURN run.id AS id
