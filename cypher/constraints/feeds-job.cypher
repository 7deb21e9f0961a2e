// Open dataset edges of a job.
// => nothing
CREATE INDEX feeds_job IF NOT EXISTS FOR ()-[edge:FEEDS]-() ON (edge.jobId)
