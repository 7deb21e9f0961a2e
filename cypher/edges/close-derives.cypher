// Closes DERIVES edges of a job: each is made again as DERIVED, with its interval, where today's traversals do not go.
// $jobId  string
// $ids    list of strings  ids of the edges
// $at     string  RFC 3339
// => nothing
// Index: derives_job
MATCH (from:Column)-[edge:DERIVES {jobId: $jobId}]->(to:Column)
WHERE edge.id IN $ids
CREATE (from)-[closed:DERIVED]->(to)
SET closed = properties(edge)
SET closed.validTo = datetime($at)
DELETE edge
