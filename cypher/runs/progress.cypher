// Records how far a running run has come.
// $id       string
// $epoch    integer  the claim's
// $metrics  string   JSON
// $steps    string   JSON
// $lock     string   any value
// => id string; no row when the run is not held by this claim any more
// Index: run_id
MATCH (run:Run {id: $id})
SET run.lock = $lock
WITH run
WHERE run.state = 'RUNNING' AND run.epoch = $epoch
SET run.metrics = $metrics, run.steps = $steps
RETURN run.id AS id
