// The newest version that datasets had at a time; a dataset without one gives no row.
// $datasetIds  list of strings
// $at          string  RFC 3339
// => datasetId string, id string, schemaHash string
// Index: dataset_version_order
UNWIND $datasetIds AS datasetId
CALL (datasetId) {
  MATCH (version:DatasetVersion {datasetId: datasetId})
  WHERE version.createdAt <= datetime($at)
  RETURN version
  ORDER BY version.createdAt DESC
  LIMIT 1
}
RETURN datasetId, version.id AS id, version.schemaHash AS schemaHash
