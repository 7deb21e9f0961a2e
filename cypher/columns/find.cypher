// A column by its dataset's name and its own, as long as the dataset has it or had it.
// $columns  list of {namespace string, dataset string, name string}
// => namespace string, dataset string, name string (as asked for), column map, datasetName string
// Index: dataset_name, column_name
UNWIND $columns AS wanted
MATCH (:DatasetName {namespace: wanted.namespace, name: wanted.dataset})-[:NAMES]->(dataset:Dataset)
MATCH (column:Column {datasetId: dataset.id, name: wanted.name})
RETURN wanted.namespace AS namespace, wanted.dataset AS dataset, wanted.name AS name, column {.id, .datasetId, .name, .type, .nullable, .ordinal, .description, .deletedAt} AS column, dataset.name AS datasetName
