// A pipeline is started once with one idempotency key.
// => nothing
CREATE CONSTRAINT run_start_key IF NOT EXISTS FOR (run:Run) REQUIRE run.startKey IS UNIQUE
