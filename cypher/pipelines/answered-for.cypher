// Audit entries whose saves were committed.
// $saves  list of {auditId string, namespace string, name string, version integer}  of each entry one pipeline, with the version that its save would leave it at
// => auditId string
// Index: job_key, pipeline_version
UNWIND $saves AS save
MATCH (pipeline:Job {namespace: save.namespace, name: save.name})
MATCH (version:PipelineVersion {pipelineId: pipeline.id, version: save.version})
WHERE save.auditId IN version.auditIds
RETURN save.auditId AS auditId
