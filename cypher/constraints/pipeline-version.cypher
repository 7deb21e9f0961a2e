// Versions of a pipeline are numbered.
// => nothing
CREATE CONSTRAINT pipeline_version IF NOT EXISTS FOR (version:PipelineVersion) REQUIRE (version.pipelineId, version.version) IS UNIQUE
