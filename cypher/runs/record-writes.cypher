// Records which dataset versions a run wrote.
// $id      string
// $writes  list of {versionId string, rows integer, bytes integer}
// => nothing
// Index: run_id, dataset_version_id
MATCH (run:Run {id: $id})
UNWIND $writes AS written
MATCH (version:DatasetVersion {id: written.versionId})
MERGE (run)-[edge:WROTE]->(version)
SET edge.rows = written.rows, edge.bytes = written.bytes
