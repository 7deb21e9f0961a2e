// Datasets in the order of their lists.
// => nothing
CREATE INDEX dataset_order IF NOT EXISTS FOR (dataset:Dataset) ON (dataset.namespace, dataset.name)
