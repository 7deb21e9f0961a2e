// Ids of the datasets of these names, as far as they are there, and whether another pipeline writes them too.
// $datasets    list of {namespace string, name string}
// $pipelineId  string
// => namespace string, name string, id string, otherWriters boolean
// Index: dataset_name
UNWIND $datasets AS wanted
MATCH (:DatasetName {namespace: wanted.namespace, name: wanted.name})-[:NAMES]->(dataset:Dataset)
RETURN
  wanted.namespace AS namespace,
  wanted.name AS name,
  dataset.id AS id,
  EXISTS {
    MATCH (dataset)<-[:WRITES]-(other:Job)
    WHERE other.id <> $pipelineId AND other.deletedAt IS NULL
  } AS otherWriters
