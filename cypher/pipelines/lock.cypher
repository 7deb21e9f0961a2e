// Locks the pipeline of a key until the transaction ends; makes it, at version 0, if there is none.
// $namespace  string
// $name       string
// $id         string  id of the pipeline, if it is made
// $lock       string  any value
// => id string, version integer (0: made just now), specHash string or null, deleted boolean
// Index: job_key
MERGE (pipeline:Job {namespace: $namespace, name: $name})
ON CREATE SET
  pipeline:Pipeline,
  pipeline.id = $id,
  pipeline.version = 0,
  pipeline.epoch = 0,
  pipeline.owners = [],
  pipeline.createdAt = datetime()
SET pipeline.lock = $lock
RETURN pipeline.id AS id, pipeline.version AS version, pipeline.specHash AS specHash, pipeline.deletedAt IS NOT NULL AS deleted
