// A job is known by namespace and name; saving a deleted one revives it.
// => nothing
CREATE CONSTRAINT job_key IF NOT EXISTS FOR (job:Job) REQUIRE (job.namespace, job.name) IS UNIQUE
