// Columns that datasets have or had, to compare them with a schema found.
// $datasetIds  list of strings
// => id string, datasetId string, name string, type string or null, nullable boolean or null, ordinal integer, present boolean
// Index: column_name
UNWIND $datasetIds AS datasetId
MATCH (column:Column {datasetId: datasetId})
WHERE column.name IS NOT NULL
RETURN
  column.id AS id,
  column.datasetId AS datasetId,
  column.name AS name,
  column.type AS type,
  column.nullable AS nullable,
  column.ordinal AS ordinal,
  column.deletedAt IS NULL AS present
