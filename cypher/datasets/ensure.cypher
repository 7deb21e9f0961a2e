// Makes the datasets of these names where there is none. To be called under the lock of Meta.
// $datasets  list of {namespace string, name string, id string: id of the dataset, if it is made}
// => nothing
// Index: dataset_name
UNWIND $datasets AS wanted
MERGE (name:DatasetName {namespace: wanted.namespace, name: wanted.name})
MERGE (name)-[:NAMES]->(dataset:Dataset)
ON CREATE SET
  dataset.id = wanted.id,
  dataset.namespace = wanted.namespace,
  dataset.name = wanted.name,
  dataset.owners = [],
  dataset.createdAt = datetime()
