// Edges of a job that are open.
// $jobId   string
// $source  string  EXECUTED or DECLARED
// => kind string (FEEDS, DERIVES or INFLUENCES), id string, fromId string, toId string, outputId string, transformations string (JSON), types list of strings
// Index: feeds_job, derives_job, influences_job
CALL () {
  MATCH (from:Dataset)-[edge:FEEDS {jobId: $jobId}]->(to:Dataset)
  RETURN from.id AS fromId, to.id AS toId, edge
  UNION ALL
  MATCH (from:Column)-[edge:DERIVES {jobId: $jobId}]->(to:Column)
  RETURN from.id AS fromId, to.id AS toId, edge
  UNION ALL
  MATCH (from:Column)-[edge:INFLUENCES {jobId: $jobId}]->(to:Dataset)
  RETURN from.id AS fromId, to.id AS toId, edge
}
WITH fromId, toId, edge
WHERE edge.source = $source
RETURN
  type(edge) AS kind,
  edge.id AS id,
  fromId,
  toId,
  edge.outputId AS outputId,
  edge.transformations AS transformations,
  edge.types AS types
