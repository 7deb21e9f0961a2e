// A run that does another one again and has not ended. To be called under the lock of their pipeline.
// $id      string           the run that is done again
// $states  list of strings  those of a run that has not ended
// => id string; no row when there is none
// Index: run_id
MATCH (:Run {id: $id})<-[:RETRIES]-(run:Run)
WHERE run.state IN $states
RETURN run.id AS id
LIMIT 1
