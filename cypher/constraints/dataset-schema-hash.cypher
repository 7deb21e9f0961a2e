// Equal schemas are one node.
// => nothing
CREATE CONSTRAINT dataset_schema_hash IF NOT EXISTS FOR (schema:DatasetSchema) REQUIRE schema.hash IS UNIQUE
