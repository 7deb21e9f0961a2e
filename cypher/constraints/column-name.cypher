// A column is known by its dataset and its name.
// => nothing
CREATE CONSTRAINT column_name IF NOT EXISTS FOR (column:Column) REQUIRE (column.datasetId, column.name) IS UNIQUE
