// Makes the graph's own record and the queue, if they are not there. An existing record keeps its version.
// $schemaVersion  integer  format of the graph, at least 1
// => schemaVersion integer: the format that the graph has
// Index: meta_id, queue_id
MERGE (meta:Meta {id: 'meta'})
ON CREATE SET meta.schemaVersion = $schemaVersion, meta.revision = 0
MERGE (:Queue {id: 'runs'})
RETURN meta.schemaVersion AS schemaVersion
