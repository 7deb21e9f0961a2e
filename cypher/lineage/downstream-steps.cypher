// What follows from the columns of the given datasets: every one of their nodes, with its steps forward.
// Said of many starts at once, where a walk from each of them would pass the same nodes again and again.
// $datasetIds  list of strings
// $evidence    list of strings  EXECUTED, DECLARED
// $edgeTypes   list of strings  DIRECT, INDIRECT; or null: both
// $namespaces  list of strings  only to nodes of these; or null: all
// => id string, edges list of strings (ids one edge further), columns list of strings (ids one HAS_COLUMN further)
// Index: dataset_id, column_name
UNWIND $datasetIds AS datasetId
CALL (datasetId) {
  MATCH (node:Dataset {id: datasetId})
  RETURN node
  UNION ALL
  MATCH (node:Column {datasetId: datasetId})
  WHERE node.name IS NOT NULL
  RETURN node
}
RETURN
  node.id AS id,
  COLLECT {
    MATCH (node)-[edge:DERIVES|INFLUENCES]->(next:Column|Dataset)
    WHERE edge.source IN $evidence
      AND ($edgeTypes IS NULL OR any(type IN edge.types WHERE type IN $edgeTypes))
      AND ($namespaces IS NULL OR next.namespace IN $namespaces)
    RETURN DISTINCT next.id
  } AS edges,
  COLLECT {
    MATCH (node)-[has:HAS_COLUMN]->(next:Column|Dataset)
    WHERE has.validTo IS NULL AND ($namespaces IS NULL OR next.namespace IN $namespaces)
    RETURN next.id
  } AS columns
