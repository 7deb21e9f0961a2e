// How many pipelines a list has.
// $text       string or null  part of namespace/name, in any case
// $namespace  string or null  only of this namespace
// => total integer
MATCH (pipeline:Job)
WHERE pipeline.deletedAt IS NULL
  AND ($namespace IS NULL OR pipeline.namespace = $namespace)
  AND ($text IS NULL OR toLower(pipeline.namespace + '/' + pipeline.name) CONTAINS toLower($text))
RETURN count(*) AS total
