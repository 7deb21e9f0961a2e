// Closes FEEDS edges of a job: each is made again as FED, with its interval, where today's traversals do not go.
// $jobId  string
// $ids    list of strings  ids of the edges
// $at     string  RFC 3339
// => nothing
// Index: feeds_job
MATCH (from:Dataset)-[edge:FEEDS {jobId: $jobId}]->(to:Dataset)
WHERE edge.id IN $ids
CREATE (from)-[closed:FED]->(to)
SET closed = properties(edge)
SET closed.validTo = datetime($at)
DELETE edge
