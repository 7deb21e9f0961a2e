// Open influence edges of a job.
// => nothing
CREATE INDEX influences_job IF NOT EXISTS FOR ()-[edge:INFLUENCES]-() ON (edge.jobId)
