// The columns of these ids; an id that is not there gives no row.
// $ids  list of strings
// => column map, datasetName string
// Index: column_id, dataset_id
UNWIND $ids AS id
MATCH (column:Column {id: id})
MATCH (dataset:Dataset {id: column.datasetId})
RETURN column {.id, .datasetId, .name, .type, .nullable, .ordinal, .description, .deletedAt} AS column, dataset.name AS datasetName
