// Tags that datasets and columns have now; one without any gives no row.
// $ids  list of strings
// => nodeId string, names list of strings, in their order
// Index: dataset_id, column_id
UNWIND $ids AS id
CALL (id) {
  MATCH (dataset:Dataset {id: id})
  RETURN dataset AS node
  UNION
  MATCH (column:Column {id: id})
  RETURN column AS node
}
MATCH (node)-[tagged:TAGGED]->(tag:Tag)
WHERE tagged.validTo IS NULL
WITH id, tag.name AS name
ORDER BY name
RETURN id AS nodeId, collect(name) AS names
