// Versions of a dataset, newest first, behind a position.
// $datasetId  string
// $beforeAt   string   RFC 3339: position
// $beforeId   string   position among versions of that time
// $limit      integer  at most so many
// => version map, columns string (JSON)
// Index: dataset_version_order
MATCH (version:DatasetVersion {datasetId: $datasetId})
WHERE version.createdAt <= datetime($beforeAt) AND (version.createdAt < datetime($beforeAt) OR version.id < $beforeId)
WITH version
ORDER BY version.createdAt DESC, version.id DESC
LIMIT $limit
MATCH (version)-[:WITH]->(schema:DatasetSchema)
RETURN version {.id, .datasetId, .createdAt, .producedByRunId, .rowCount} AS version, schema.columns AS columns
ORDER BY version.createdAt DESC, version.id DESC
