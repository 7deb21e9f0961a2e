// Takes the changes of state that are in the log from their runs.
// Those that a run keeps are its last ones, numbered without gaps.
// $logged  list of {id string, transition integer}  all up to this number are in the log
// $lock    string                                   any value
// => id string, left integer: how many are still kept
// Index: run_id
UNWIND $logged AS logged
MATCH (run:Run {id: logged.id})
SET run.lock = $lock
WITH run, run.transition - logged.transition AS behind
WHERE run.unlogged IS NOT NULL AND behind < size(run.unlogged)
SET
  run.unlogged = CASE WHEN behind <= 0 THEN null ELSE run.unlogged[size(run.unlogged) - behind..] END,
  run.unloggedSince = CASE WHEN behind <= 0 THEN null ELSE run.unloggedSince END
RETURN run.id AS id, coalesce(size(run.unlogged), 0) AS left
