// Datasets that a job's open edges begin and end at.
// $jobId       string
// $evidence    list of strings  EXECUTED, DECLARED
// $edgeTypes   list of strings  DIRECT, INDIRECT; or null: both
// $namespaces  list of strings  only datasets of these; or null: all
// => inputIds list of strings, outputIds list of strings
// Index: feeds_job
OPTIONAL MATCH (from:Dataset)-[edge:FEEDS {jobId: $jobId}]->(to:Dataset)
WHERE edge.source IN $evidence
  AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
RETURN
  collect(DISTINCT CASE WHEN $namespaces IS NULL OR from.namespace IN $namespaces THEN from.id END) AS inputIds,
  collect(DISTINCT CASE WHEN $namespaces IS NULL OR to.namespace IN $namespaces THEN to.id END) AS outputIds
