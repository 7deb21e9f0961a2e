// Takes back the deletion of a pipeline, if it was deleted.
// $id  string
// => nothing
// Index: job_id
MATCH (pipeline:Job {id: $id})
SET pipeline.deletedAt = null
