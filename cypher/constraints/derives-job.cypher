// Open column edges of a job.
// => nothing
CREATE INDEX derives_job IF NOT EXISTS FOR ()-[edge:DERIVES]-() ON (edge.jobId)
