// How many runs a list has.
// $since   string           RFC 3339: not queued before
// $states  list of strings  or null: all
// => total integer
// Index: run_queued
MATCH (run:Run)
WHERE run.queuedAt >= datetime($since) AND ($states IS NULL OR run.state IN $states)
RETURN count(*) AS total
