// Columns that a job's open edges begin at.
// $jobId       string
// $evidence    list of strings  EXECUTED, DECLARED
// $edgeTypes   list of strings  DIRECT, INDIRECT; or null: both
// $namespaces  list of strings  only columns of these; or null: all
// => id string
// Index: derives_job, influences_job
CALL () {
  MATCH (from:Column)-[edge:DERIVES {jobId: $jobId}]->(:Column)
  RETURN from, edge
  UNION ALL
  MATCH (from:Column)-[edge:INFLUENCES {jobId: $jobId}]->(:Dataset)
  RETURN from, edge
}
WITH from, edge
WHERE edge.source IN $evidence
  AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
  AND ($namespaces IS NULL OR from.namespace IN $namespaces)
RETURN DISTINCT from.id AS id
