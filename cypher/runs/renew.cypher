// Extends the lease of a running run, by the graph's clock.
// $id            string
// $epoch         integer  the claim's
// $leaseSeconds  integer  at least 1
// $lock          string   any value
// => cancelRequested boolean; no row when the run is not held by this claim any more
// Index: run_id
MATCH (run:Run {id: $id})
SET run.lock = $lock
WITH run
WHERE run.state = 'RUNNING' AND run.epoch = $epoch
SET run.leaseUntil = datetime.realtime() + duration({seconds: $leaseSeconds})
RETURN run.cancelRequestedAt IS NOT NULL AS cancelRequested
