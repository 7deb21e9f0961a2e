// The datasets of these names; a name that is not there gives no row.
// $datasets  list of {namespace string, name string}
// => namespace string, name string (as asked for), dataset map
// Index: dataset_name
UNWIND $datasets AS wanted
MATCH (:DatasetName {namespace: wanted.namespace, name: wanted.name})-[:NAMES]->(dataset:Dataset)
RETURN wanted.namespace AS namespace, wanted.name AS name, dataset {.id, .namespace, .name, .description, .owners, .deletedAt} AS dataset
