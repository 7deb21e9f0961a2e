// The datasets of these ids; an id that is not there gives no row.
// $ids  list of strings
// => dataset map
// Index: dataset_id
UNWIND $ids AS id
MATCH (dataset:Dataset {id: id})
RETURN dataset {.id, .namespace, .name, .description, .owners, .deletedAt} AS dataset
