// Runs of one state in the order in which they were queued.
// => nothing
CREATE INDEX run_state IF NOT EXISTS FOR (run:Run) ON (run.state, run.queuedAt)
