// Locks a connection, so that no pipeline can begin to use it, and tells which saved pipelines use it.
// $name  string
// $lock  string  any value
// => users list of strings: at most 5 pipelines as namespace/name
// Index: connection_name
MATCH (connection:Connection {name: $name})
SET connection.lock = $lock
WITH connection
RETURN COLLECT {
  MATCH (pipeline:Job)-[:USES]->(connection)
  WHERE pipeline.deletedAt IS NULL
  RETURN pipeline.namespace + '/' + pipeline.name AS key
  ORDER BY key
  LIMIT 5
} AS users
