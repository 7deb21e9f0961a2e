// How many runs a list of one pipeline has.
// $pipelineId  string
// $since       string           RFC 3339: not queued before
// $states      list of strings  or null: all
// => total integer
// Index: run_pipeline
MATCH (run:Run {pipelineId: $pipelineId})
WHERE run.queuedAt >= datetime($since) AND ($states IS NULL OR run.state IN $states)
RETURN count(*) AS total
