// Columns that are gone: their interval ends.
// $ids  list of strings
// $at  string  RFC 3339
// => nothing
// Index: column_id
UNWIND $ids AS id
MATCH (:Dataset)-[has:HAS_COLUMN]->(column:Column {id: id})
WHERE has.validTo IS NULL
SET has.validTo = datetime($at), column.deletedAt = datetime($at)
