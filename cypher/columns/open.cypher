// Columns that appear, or appear again: an interval begins.
// $columns  list of {datasetId string, id string: if it is made, name string, type string or null, nullable boolean or null, ordinal integer}
// $at       string  RFC 3339
// => nothing
// Index: dataset_id, column_name
UNWIND $columns AS found
MATCH (dataset:Dataset {id: found.datasetId})
MERGE (column:Column {datasetId: found.datasetId, name: found.name})
ON CREATE SET column.id = found.id, column.namespace = dataset.namespace
SET column.type = found.type, column.nullable = found.nullable, column.ordinal = found.ordinal, column.deletedAt = null
CREATE (dataset)-[:HAS_COLUMN {validFrom: datetime($at)}]->(column)
