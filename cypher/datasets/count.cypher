// How many datasets a list has.
// $text            string or null  part of namespace/name, in any case
// $namespace       string or null  only of this namespace
// $tag             string or null  only those that have this tag
// $includeDeleted  boolean
// => total integer
MATCH (dataset:Dataset)
WHERE ($includeDeleted OR dataset.deletedAt IS NULL)
  AND ($namespace IS NULL OR dataset.namespace = $namespace)
  AND ($text IS NULL OR toLower(dataset.namespace + '/' + dataset.name) CONTAINS toLower($text))
  AND ($tag IS NULL OR EXISTS { MATCH (dataset)-[tagged:TAGGED]->(:Tag {name: $tag}) WHERE tagged.validTo IS NULL })
RETURN count(*) AS total
