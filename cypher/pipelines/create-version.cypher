// Adds a version to a pipeline and makes it the latest.
// $id           string
// $version      integer  at least 1
// $spec         string   JSON of the document
// $specHash     string   hash of what the document means
// $description  string or null
// $owners       list of strings
// $createdBy    string or null
// => nothing
// Index: job_id
MATCH (pipeline:Job {id: $id})
SET
  pipeline.version = $version,
  pipeline.spec = $spec,
  pipeline.specHash = $specHash,
  pipeline.description = $description,
  pipeline.owners = $owners
CREATE (pipeline)-[:HAS_VERSION]->(:PipelineVersion {
  pipelineId: $id,
  version: $version,
  spec: $spec,
  createdAt: datetime(),
  createdBy: $createdBy
})
