// Changes of state that are not in the log yet, of the runs that have waited longest.
// $waitedMs  integer  waiting for at least so many milliseconds
// $limit     integer  at most so many runs
// $perRun    integer  at most so many of each run, the oldest
// => runId string, pipelineId string, transitions list of strings (JSON), oldest first
// Index: run_unlogged
MATCH (run:Run)
WHERE run.unloggedSince < datetime.realtime() - duration({milliseconds: $waitedMs})
WITH run
ORDER BY run.unloggedSince
LIMIT $limit
RETURN run.id AS runId, run.pipelineId AS pipelineId, run.unlogged[0..$perRun] AS transitions
