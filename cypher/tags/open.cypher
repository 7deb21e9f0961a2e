// A dataset or column gets a tag that it does not have: an interval begins. To be called under the lock of the node.
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
MERGE (tag:Tag {name: $name})
CREATE (node)-[:TAGGED {validFrom: datetime.truncate('microsecond', datetime.realtime())}]->(tag)
