// Records that an audit entry answers for a save, at the versions that the save leaves its pipelines at. To be called under the locks of the pipelines.
// $auditId  string
// $saved    list of {id string, version integer}
// => nothing
// Index: pipeline_version
UNWIND $saved AS saved
MATCH (version:PipelineVersion {pipelineId: saved.id, version: saved.version})
WHERE NOT $auditId IN coalesce(version.auditIds, [])
SET version.auditIds = coalesce(version.auditIds, []) + $auditId
