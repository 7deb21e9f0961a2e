// Removes a connection.
// $name  string
// => nothing
// Index: connection_name
MATCH (connection:Connection {name: $name})
DETACH DELETE connection
