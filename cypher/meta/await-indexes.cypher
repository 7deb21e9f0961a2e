// Waits until every index can be used.
// => nothing
CALL db.awaitIndexes(120)
