// The pipelines of these ids, deleted or not; an id that is not there gives no row.
// $ids  list of strings
// => pipeline map
// Index: job_id
UNWIND $ids AS id
MATCH (pipeline:Job {id: id})
RETURN pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline
