// Open edges between the given datasets.
// $ids        list of strings
// $evidence   list of strings  EXECUTED, DECLARED
// $edgeTypes  list of strings  DIRECT, INDIRECT; or null: both
// => id string, fromId string, toId string, jobId string, outputId string, transformations string (JSON), evidence string, validFrom datetime
// Index: dataset_id
UNWIND $ids AS toId
MATCH (to:Dataset {id: toId})<-[edge:FEEDS]-(from:Dataset)
WHERE from.id IN $ids
  AND edge.source IN $evidence
  AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
RETURN
  edge.id AS id,
  from.id AS fromId,
  to.id AS toId,
  edge.jobId AS jobId,
  edge.outputId AS outputId,
  edge.transformations AS transformations,
  edge.source AS evidence,
  edge.validFrom AS validFrom
