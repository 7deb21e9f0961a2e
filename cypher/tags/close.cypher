// A tag is taken from a dataset or column: its interval ends. To be called under the lock of the node.
// $id    string
// $name  string
// => nothing
// Index: dataset_id, column_id, tag_name
CALL () {
  MATCH (dataset:Dataset {id: $id})
  RETURN dataset AS node
  UNION
  MATCH (column:Column {id: $id})
  RETURN column AS node
}
MATCH (node)-[tagged:TAGGED]->(:Tag {name: $name})
WHERE tagged.validTo IS NULL
SET tagged.validTo = datetime.truncate('microsecond', datetime.realtime())
