// Dataset versions that runs wrote.
// $ids    list of strings
// $limit  integer  at most so many per run
// => runId string, version map, columns string (JSON)
// Index: run_id
UNWIND $ids AS id
MATCH (run:Run {id: id})
CALL (run) {
  MATCH (run)-[:WROTE]->(version:DatasetVersion)-[:WITH]->(schema:DatasetSchema)
  RETURN version, schema
  ORDER BY version.datasetId, version.id
  LIMIT $limit
}
RETURN run.id AS runId, version {.id, .datasetId, .createdAt, .producedByRunId, .rowCount} AS version, schema.columns AS columns
