// Pipelines whose latest version writes a dataset, by namespace and name, behind a position.
// $datasetId       string
// $afterNamespace  string   position; '' for the first page
// $afterName       string   position; '' for the first page
// $limit           integer  at most so many
// => pipeline map
// Index: dataset_id
MATCH (:Dataset {id: $datasetId})<-[:WRITES]-(pipeline:Job)
WHERE pipeline.deletedAt IS NULL
  AND (pipeline.namespace > $afterNamespace OR (pipeline.namespace = $afterNamespace AND pipeline.name > $afterName))
RETURN pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline
ORDER BY pipeline.namespace, pipeline.name
LIMIT $limit
