// Runs of one pipeline in the order in which they were queued.
// => nothing
CREATE INDEX run_pipeline IF NOT EXISTS FOR (run:Run) ON (run.pipelineId, run.queuedAt)
