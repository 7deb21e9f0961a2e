// Versions of one dataset in the order of time.
// => nothing
CREATE INDEX dataset_version_order IF NOT EXISTS FOR (version:DatasetVersion) ON (version.datasetId, version.createdAt)
