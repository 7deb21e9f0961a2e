// Runs with changes of state that are not in the log yet, in the order in which they wait.
// => nothing
CREATE INDEX run_unlogged IF NOT EXISTS FOR (run:Run) ON (run.unloggedSince)
