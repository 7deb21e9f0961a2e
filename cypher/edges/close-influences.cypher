// Closes INFLUENCES edges of a job: each is made again as INFLUENCED, with its interval, where today's traversals do not go.
// $jobId  string
// $ids    list of strings  ids of the edges
// $at     string  RFC 3339
// => nothing
// Index: influences_job
MATCH (from:Column)-[edge:INFLUENCES {jobId: $jobId}]->(to:Dataset)
WHERE edge.id IN $ids
CREATE (from)-[closed:INFLUENCED]->(to)
SET closed = properties(edge)
SET closed.validTo = datetime($at)
DELETE edge
