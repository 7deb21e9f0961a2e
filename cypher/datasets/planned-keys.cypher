// The keys by which the latest versions of pipelines write a dataset: what its table will be unique by.
// $namespace  string
// $name       string
// $except     list of {namespace string, name string}  pipelines that do not count
// => datasetId string, key list of strings: one row for each pipeline that writes it
// Index: dataset_name
MATCH (:DatasetName {namespace: $namespace, name: $name})-[:NAMES]->(dataset:Dataset)<-[written:WRITES]-(pipeline:Job)
WHERE pipeline.deletedAt IS NULL
  AND NOT any(other IN $except WHERE other.namespace = pipeline.namespace AND other.name = pipeline.name)
RETURN dataset.id AS datasetId, coalesce(written.key, []) AS key
ORDER BY key
LIMIT 1000
