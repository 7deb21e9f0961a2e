// Tags that datasets and the columns they have now carry; what has none gives no row.
// $datasetIds  list of strings
// => nodeId string (of a dataset or a column), names list of strings, in their order
// Index: dataset_id
UNWIND $datasetIds AS datasetId
MATCH (dataset:Dataset {id: datasetId})
CALL (dataset) {
  RETURN dataset AS node
  UNION ALL
  MATCH (dataset)-[has:HAS_COLUMN]->(column:Column)
  WHERE has.validTo IS NULL
  RETURN column AS node
}
MATCH (node)-[tagged:TAGGED]->(tag:Tag)
WHERE tagged.validTo IS NULL
WITH node, tag.name AS name
ORDER BY name
RETURN node.id AS nodeId, collect(name) AS names
