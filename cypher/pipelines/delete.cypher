// Marks a pipeline as deleted, under its lock.
// $namespace  string
// $name       string
// $lock       string  any value
// => id string, runningRunId string or null; no row when there is none or it is deleted already
// Index: job_key
MATCH (pipeline:Job {namespace: $namespace, name: $name})
SET pipeline.lock = $lock
WITH pipeline
WHERE pipeline.deletedAt IS NULL
SET pipeline.deletedAt = datetime()
RETURN pipeline.id AS id, pipeline.runningRunId AS runningRunId
