// What the graph has recorded of datasets; one that it does not know gives no row.
// $datasets  list of {namespace string, name string}
// => dataset map, namespace string, name string, made boolean, writers list of strings
// Index: dataset_name
UNWIND $datasets AS wanted
MATCH (:DatasetName {namespace: wanted.namespace, name: wanted.name})-[:NAMES]->(dataset:Dataset)
RETURN dataset {.id, .namespace, .name, .description, .owners, .deletedAt} AS dataset, wanted.namespace AS namespace, wanted.name AS name,
  EXISTS { (dataset)-[:HAS_VERSION]->() } AS made,
  [(writer:Job)-[:WRITES]->(dataset) WHERE writer.deletedAt IS NULL | writer.id] AS writers
