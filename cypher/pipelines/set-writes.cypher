// Records which datasets the latest version of a pipeline writes and by which keys, and no others.
// $id      string
// $writes  list of {datasetId string, key list of strings: empty when rows are only added}
// => nothing
// Index: job_id, dataset_id
MATCH (pipeline:Job {id: $id})
CALL (pipeline) {
  MATCH (pipeline)-[former:WRITES]->(:Dataset)
  DELETE former
}
UNWIND $writes AS written
MATCH (dataset:Dataset {id: written.datasetId})
CREATE (pipeline)-[:WRITES {key: written.key}]->(dataset)
