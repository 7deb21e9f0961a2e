// How many datasets a list has.
// $text            string or null  part of namespace/name, in any case
// $namespace       string or null  only of this namespace
// $includeDeleted  boolean
// => total integer
MATCH (dataset:Dataset)
WHERE ($includeDeleted OR dataset.deletedAt IS NULL)
  AND ($namespace IS NULL OR dataset.namespace = $namespace)
  AND ($text IS NULL OR toLower(dataset.namespace + '/' + dataset.name) CONTAINS toLower($text))
RETURN count(*) AS total
