// Columns that datasets have now, in table order.
// $datasetIds  list of strings
// $limit       integer  at most so many per dataset
// => column map, datasetName string
// Index: dataset_id
UNWIND $datasetIds AS datasetId
MATCH (dataset:Dataset {id: datasetId})
CALL (dataset) {
  MATCH (dataset)-[has:HAS_COLUMN]->(column:Column)
  WHERE has.validTo IS NULL
  RETURN column
  ORDER BY column.ordinal, column.name
  LIMIT $limit
}
RETURN column {.id, .datasetId, .name, .type, .nullable, .ordinal, .description, .deletedAt} AS column, dataset.name AS datasetName
