// All runs in the order in which they were queued.
// => nothing
CREATE INDEX run_queued IF NOT EXISTS FOR (run:Run) ON (run.queuedAt)
