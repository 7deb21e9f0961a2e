// The connections of these names; a name that is not there gives no row.
// $names  list of strings
// => connection map
// Index: connection_name
UNWIND $names AS name
MATCH (connection:Connection {name: name})
RETURN connection {.id, .name, .kind, .config, .datasetNamespace, .createdAt} AS connection
