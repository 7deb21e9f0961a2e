// The pipelines of these keys that are not deleted; a key that has none gives no row.
// $pipelines  list of {namespace string, name string}
// => pipeline map
// Index: job_key
UNWIND $pipelines AS wanted
MATCH (pipeline:Job {namespace: wanted.namespace, name: wanted.name})
WHERE pipeline.deletedAt IS NULL
RETURN pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline
