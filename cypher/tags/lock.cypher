// Locks a dataset or column until the transaction ends, and tells which tags it has then.
// $id    string
// $lock  string  any value
// => deletedAt datetime or null, names list of strings
// Index: dataset_id, column_id
CALL () {
  MATCH (dataset:Dataset {id: $id})
  RETURN dataset AS node
  UNION
  MATCH (column:Column {id: $id})
  RETURN column AS node
}
SET node.lock = $lock
WITH node
RETURN node.deletedAt AS deletedAt, COLLECT {
  MATCH (node)-[tagged:TAGGED]->(tag:Tag)
  WHERE tagged.validTo IS NULL
  RETURN tag.name AS name
  ORDER BY name
} AS names
