// Pipelines that are not deleted, by namespace and name, behind a position.
// $text            string or null  part of namespace/name, in any case
// $namespace       string or null  only of this namespace
// $afterNamespace  string          position; '' for the first page
// $afterName       string          position; '' for the first page
// $limit           integer         at most so many
// => pipeline map
// Index: job_key
MATCH (pipeline:Job)
WHERE pipeline.namespace >= $afterNamespace AND pipeline.name IS NOT NULL
  AND (pipeline.namespace > $afterNamespace OR pipeline.name > $afterName)
  AND pipeline.deletedAt IS NULL
  AND ($namespace IS NULL OR pipeline.namespace = $namespace)
  AND ($text IS NULL OR toLower(pipeline.namespace + '/' + pipeline.name) CONTAINS toLower($text))
RETURN pipeline {.id, .namespace, .name, .description, .owners, .spec, .version, .deletedAt} AS pipeline
ORDER BY pipeline.namespace, pipeline.name
LIMIT $limit
