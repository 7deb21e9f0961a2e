// A name names one dataset.
// => nothing
CREATE CONSTRAINT dataset_name IF NOT EXISTS FOR (name:DatasetName) REQUIRE (name.namespace, name.name) IS UNIQUE
