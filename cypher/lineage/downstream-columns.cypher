// What lies downstream of the given columns and datasets: every node the walk can pass, with its steps forward.
// An influenced dataset passes influence on to its columns at no cost (HAS_COLUMN); the depth is worked out from the steps.
// $startIds    list of strings  of columns and datasets
// $evidence    list of strings  EXECUTED, DECLARED
// $edgeTypes   list of strings  DIRECT, INDIRECT; or null: both
// $namespaces  list of strings  only through nodes of these; or null: all
// $maxHops     integer or null  steps of either kind from the nearest start; null: all
// => id string, edges list of strings (ids one edge further), columns list of strings (ids one HAS_COLUMN further)
// Index: column_id, dataset_id
MATCH (start:Column|Dataset)
WHERE start.id IN $startIds
MATCH path = (start)-[:DERIVES|INFLUENCES|HAS_COLUMN*0..]->(reached:Column|Dataset)
WHERE all(edge IN relationships(path) WHERE edge.validTo IS NULL
  AND (edge.source IS NULL OR edge.source IN $evidence)
  AND ($edgeTypes IS NULL OR edge.types IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
  AND ($namespaces IS NULL OR endNode(edge).namespace IN $namespaces))
WITH reached, min(length(path)) AS hops
WHERE $maxHops IS NULL OR hops <= $maxHops
RETURN
  reached.id AS id,
  COLLECT {
    MATCH (reached)-[edge:DERIVES|INFLUENCES]->(next:Column|Dataset)
    WHERE edge.source IN $evidence
      AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
      AND ($namespaces IS NULL OR next.namespace IN $namespaces)
    RETURN DISTINCT next.id
  } AS edges,
  COLLECT {
    MATCH (reached)-[has:HAS_COLUMN]->(next:Column|Dataset)
    WHERE has.validTo IS NULL AND ($namespaces IS NULL OR next.namespace IN $namespaces)
    RETURN next.id
  } AS columns
