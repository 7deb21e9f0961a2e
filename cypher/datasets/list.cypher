// Datasets by namespace and name, behind a position.
// $text            string or null  part of namespace/name, in any case
// $namespace       string or null  only of this namespace
// $tag             string or null  only those that have this tag
// $includeDeleted  boolean
// $afterNamespace  string          position; '' for the first page
// $afterName       string          position; '' for the first page
// $limit           integer         at most so many
// => dataset map
// Index: dataset_order
MATCH (dataset:Dataset)
WHERE dataset.namespace >= $afterNamespace AND dataset.name IS NOT NULL
  AND (dataset.namespace > $afterNamespace OR dataset.name > $afterName)
  AND ($includeDeleted OR dataset.deletedAt IS NULL)
  AND ($namespace IS NULL OR dataset.namespace = $namespace)
  AND ($text IS NULL OR toLower(dataset.namespace + '/' + dataset.name) CONTAINS toLower($text))
  AND ($tag IS NULL OR EXISTS { MATCH (dataset)-[tagged:TAGGED]->(:Tag {name: $tag}) WHERE tagged.validTo IS NULL })
RETURN dataset {.id, .namespace, .name, .description, .owners, .deletedAt} AS dataset
ORDER BY dataset.namespace, dataset.name
LIMIT $limit
