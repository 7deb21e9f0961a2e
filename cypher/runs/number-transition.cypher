// Numbers the change of state that this transaction makes of runs, and keeps it on them until it is in the log.
// A state that is numbered already gives no row: no run goes from a state to the same one, so that it is the same change, tried again.
// $ids      list of strings
// $message  string  JSON: a sentence, or null
// $lock     string  any value
// => id string, transition integer (from 1 for each run)
// Index: run_id
UNWIND $ids AS id
MATCH (run:Run {id: id})
SET run.lock = $lock
WITH run, datetime.realtime() AS now
WHERE coalesce(run.numberedState, '') <> run.state
SET
  run.transition = coalesce(run.transition, 0) + 1,
  run.numberedState = run.state,
  run.unloggedSince = coalesce(run.unloggedSince, now)
SET run.unlogged = coalesce(run.unlogged, []) + [
  '{"transition":' + toString(run.transition)
  + ',"state":"' + run.state
  + '","attempt":' + toString(run.attempt)
  + ',"atMicros":' + toString(now.epochSeconds * 1000000 + now.microsecond)
  + ',"startedMicros":' + coalesce(toString(run.startedAt.epochSeconds * 1000000 + run.startedAt.microsecond), 'null')
  + ',"endedMicros":' + coalesce(toString(run.endedAt.epochSeconds * 1000000 + run.endedAt.microsecond), 'null')
  + ',"message":' + $message
  + ',"metrics":' + run.metrics + '}'
]
RETURN run.id AS id, run.transition AS transition
