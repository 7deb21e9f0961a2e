// How many versions a dataset has.
// $datasetId  string
// => total integer
// Index: dataset_version_order
MATCH (version:DatasetVersion {datasetId: $datasetId})
WHERE version.createdAt IS NOT NULL
RETURN count(*) AS total
