// Datasets that are fed by the given datasets, directly or through others.
// $startIds    list of strings
// $evidence    list of strings  EXECUTED, DECLARED
// $edgeTypes   list of strings  DIRECT, INDIRECT; or null: both
// $namespaces  list of strings  only through datasets of these; or null: all
// => id string, depth integer (>= 1); the starts themselves are left out
// Index: dataset_id
MATCH (start:Dataset)
WHERE start.id IN $startIds
MATCH path = (start)-[:FEEDS*1..]->(reached:Dataset)
WHERE all(edge IN relationships(path) WHERE edge.source IN $evidence
  AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
  AND ($namespaces IS NULL OR endNode(edge).namespace IN $namespaces))
WITH reached, min(length(path)) AS depth
WHERE NOT reached.id IN $startIds
RETURN reached.id AS id, depth
