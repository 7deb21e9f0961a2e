// Ids are unique.
// => nothing
CREATE CONSTRAINT column_id IF NOT EXISTS FOR (column:Column) REQUIRE column.id IS UNIQUE
