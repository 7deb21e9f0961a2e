// Records which datasets the latest version of a pipeline reads, and no others.
// $id          string
// $datasetIds  list of strings
// => nothing
// Index: job_id, dataset_id
MATCH (pipeline:Job {id: $id})
CALL (pipeline) {
  MATCH (pipeline)-[former:READS]->(:Dataset)
  DELETE former
}
UNWIND $datasetIds AS datasetId
MATCH (dataset:Dataset {id: datasetId})
CREATE (pipeline)-[:READS]->(dataset)
