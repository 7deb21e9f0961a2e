// Columns whose type, nullability or place has changed.
// $columns  list of {id string, type string or null, nullable boolean or null, ordinal integer}
// => nothing
// Index: column_id
UNWIND $columns AS found
MATCH (column:Column {id: found.id})
SET column.type = found.type, column.nullable = found.nullable, column.ordinal = found.ordinal
