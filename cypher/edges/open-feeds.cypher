// Opens FEEDS edges of a job.
// $jobId   string
// $source  string  EXECUTED or DECLARED
// $edges   list of {id string, fromId string, toId string, outputId string, transformations string (JSON), types list of strings}
// $at       string  RFC 3339
// => nothing
// Index: dataset_id
UNWIND $edges AS opened
MATCH (from:Dataset {id: opened.fromId})
CALL (opened, from) {
  MATCH (to:Dataset {id: opened.toId})
  CREATE (from)-[:FEEDS {
    id: opened.id,
    jobId: $jobId,
    source: $source,
    outputId: opened.outputId,
    transformations: opened.transformations,
    types: opened.types,
    validFrom: datetime($at)
  }]->(to)
}
