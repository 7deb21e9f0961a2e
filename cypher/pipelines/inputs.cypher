// Datasets that the latest versions of pipelines read.
// $ids    list of strings
// $limit  integer  at most so many per pipeline
// => pipelineId string, dataset map
// Index: job_id
UNWIND $ids AS id
MATCH (pipeline:Job {id: id})
CALL (pipeline) {
  MATCH (pipeline)-[:READS]->(dataset:Dataset)
  RETURN dataset
  ORDER BY dataset.namespace, dataset.name
  LIMIT $limit
}
RETURN pipeline.id AS pipelineId, dataset {.id, .namespace, .name, .description, .owners, .deletedAt} AS dataset
