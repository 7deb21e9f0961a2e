// A connection is known by its name.
// => nothing
CREATE CONSTRAINT connection_name IF NOT EXISTS FOR (connection:Connection) REQUIRE connection.name IS UNIQUE
