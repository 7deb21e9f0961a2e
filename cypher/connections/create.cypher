// Makes a connection unless the name is taken.
// $id                string  id of the connection, if it is made
// $name              string
// $kind              string  kind of its connector
// $config            string  JSON object; secrets as references
// $datasetNamespace  string
// => connection map; its id is another one when the name was taken
// Index: connection_name
MERGE (connection:Connection {name: $name})
ON CREATE SET
  connection.id = $id,
  connection.kind = $kind,
  connection.config = $config,
  connection.datasetNamespace = $datasetNamespace,
  connection.createdAt = datetime.truncate('microsecond', datetime())
RETURN connection {.id, .name, .kind, .config, .datasetNamespace, .createdAt} AS connection
