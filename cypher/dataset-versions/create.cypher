// New versions of datasets. Equal schemas of a dataset are one node.
// $versions  list of {id string, datasetId string, schemaHash string, columns string (JSON), producedByRunId string or null, rowCount integer or null, createdAt string (RFC 3339)}
// => nothing
// Index: dataset_id, dataset_schema_hash
UNWIND $versions AS made
MATCH (dataset:Dataset {id: made.datasetId})
MERGE (schema:DatasetSchema {hash: made.schemaHash})
ON CREATE SET schema.columns = made.columns
CREATE (dataset)-[:HAS_VERSION]->(:DatasetVersion {
  id: made.id,
  datasetId: made.datasetId,
  schemaHash: made.schemaHash,
  createdAt: datetime(made.createdAt),
  producedByRunId: made.producedByRunId,
  rowCount: made.rowCount
})-[:WITH]->(schema)
