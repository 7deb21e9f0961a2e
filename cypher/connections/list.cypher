// Connections by name.
// $limit  integer  at most so many
// => connection map
// Index: connection_name
MATCH (connection:Connection)
WHERE connection.name IS NOT NULL
RETURN connection {.id, .name, .kind, .config, .datasetNamespace, .createdAt} AS connection
ORDER BY connection.name
LIMIT $limit
