// Ids are unique.
// => nothing
CREATE CONSTRAINT connection_id IF NOT EXISTS FOR (connection:Connection) REQUIRE connection.id IS UNIQUE
