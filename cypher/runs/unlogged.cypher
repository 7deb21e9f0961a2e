// Changes of state of these runs that are not in the log yet.
// $ids     list of strings
// $perRun  integer  at most so many of each run, the oldest
// => runId string, pipelineId string, transitions list of strings (JSON), oldest first
// Index: run_id
UNWIND $ids AS id
MATCH (run:Run {id: id})
WHERE run.unloggedSince IS NOT NULL
RETURN run.id AS runId, run.pipelineId AS pipelineId, run.unlogged[0..$perRun] AS transitions
