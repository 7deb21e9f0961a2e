// Records which connections a pipeline uses, and no others. Locks them, so that none is deleted meanwhile.
// $id     string
// $names  list of strings, in a fixed order
// $lock   string  any value
// => name string: one row for each connection that is there
// Index: job_id, connection_name
MATCH (pipeline:Job {id: $id})
CALL (pipeline) {
  MATCH (pipeline)-[former:USES]->(:Connection)
  DELETE former
}
UNWIND $names AS name
MATCH (connection:Connection {name: name})
SET connection.lock = $lock
CREATE (pipeline)-[:USES]->(connection)
RETURN connection.name AS name
