// How many pipelines have a latest version that writes a dataset.
// $datasetId  string
// => total integer
// Index: dataset_id
MATCH (:Dataset {id: $datasetId})<-[:WRITES]-(pipeline:Job)
WHERE pipeline.deletedAt IS NULL
RETURN count(*) AS total
