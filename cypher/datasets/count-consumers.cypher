// How many pipelines have a latest version that reads a dataset.
// $datasetId  string
// => total integer
// Index: dataset_id
MATCH (:Dataset {id: $datasetId})<-[:READS]-(pipeline:Job)
WHERE pipeline.deletedAt IS NULL
RETURN count(*) AS total
