// A claim takes one run, also when its answer was lost and it is asked again.
// => nothing
CREATE CONSTRAINT run_claim IF NOT EXISTS FOR (run:Run) REQUIRE run.claim IS UNIQUE
