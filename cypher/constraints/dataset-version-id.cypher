// Ids are unique.
// => nothing
CREATE CONSTRAINT dataset_version_id IF NOT EXISTS FOR (version:DatasetVersion) REQUIRE version.id IS UNIQUE
