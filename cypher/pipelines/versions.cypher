// Versions of a pipeline, newest first.
// $id     string
// $limit  integer  at most so many
// => version integer, spec string (JSON), createdAt datetime, createdBy string or null
// Index: pipeline_version
MATCH (version:PipelineVersion {pipelineId: $id})
WHERE version.version > 0
RETURN version.version AS version, version.spec AS spec, version.createdAt AS createdAt, version.createdBy AS createdBy
ORDER BY version.version DESC
LIMIT $limit
