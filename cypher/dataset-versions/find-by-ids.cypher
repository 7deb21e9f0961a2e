// The dataset versions of these ids; an id that is not there gives no row.
// $ids  list of strings
// => version map, columns string (JSON)
// Index: dataset_version_id
UNWIND $ids AS id
MATCH (version:DatasetVersion {id: id})-[:WITH]->(schema:DatasetSchema)
RETURN version {.id, .datasetId, .createdAt, .producedByRunId, .rowCount} AS version, schema.columns AS columns
