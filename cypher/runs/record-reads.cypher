// Records which dataset versions a run read.
// $id     string
// $reads  list of {versionId string, rows integer or null}
// => nothing
// Index: run_id, dataset_version_id
MATCH (run:Run {id: $id})
UNWIND $reads AS read
MATCH (version:DatasetVersion {id: read.versionId})
MERGE (run)-[edge:READ]->(version)
SET edge.rows = read.rows
