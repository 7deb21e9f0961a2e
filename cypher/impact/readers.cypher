// Pipelines that read any of these datasets, with what they read and write.
// $datasets  list of {namespace string, name string}
// $limit     integer  at most so many
// => pipeline map, inputs list of {namespace, name}, outputs list of {namespace, name}
// Index: dataset_name
UNWIND $datasets AS wanted
MATCH (:DatasetName {namespace: wanted.namespace, name: wanted.name})-[:NAMES]->(:Dataset)<-[:READS]-(pipeline:Job)
WHERE pipeline.deletedAt IS NULL
WITH DISTINCT pipeline
ORDER BY pipeline.id
LIMIT $limit
RETURN pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline,
  [(pipeline)-[:READS]->(input:Dataset) | {namespace: input.namespace, name: input.name}] AS inputs,
  [(pipeline)-[:WRITES]->(output:Dataset) | {namespace: output.namespace, name: output.name}] AS outputs
