// Jobs that read any of these datasets: by their latest version, or by an edge of an earlier one that is still open.
// $datasetIds  list of strings
// => id string
// Index: dataset_id
MATCH (dataset:Dataset)
WHERE dataset.id IN $datasetIds
CALL (dataset) {
  MATCH (dataset)<-[:READS]-(job:Job)
  WHERE job.deletedAt IS NULL
  RETURN job.id AS id
  UNION
  MATCH (dataset)-[edge:FEEDS]->(:Dataset)
  RETURN edge.jobId AS id
}
RETURN DISTINCT id
