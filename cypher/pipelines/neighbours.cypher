// Whether pipelines outside a set read what the set writes or will write, and whether they write what it will read.
// $pipelines  list of {namespace string, name string}  the set, saved or not
// $inputs     list of {namespace string, name string}  datasets that it will read
// $outputs    list of {namespace string, name string}  datasets that it will write
// => read boolean, written boolean
// Index: job_key, dataset_name
RETURN
  EXISTS {
    UNWIND $outputs AS output
    MATCH (:DatasetName {namespace: output.namespace, name: output.name})-[:NAMES]->(:Dataset)<-[:READS]-(reader:Job)
    WHERE reader.deletedAt IS NULL
      AND NOT any(own IN $pipelines WHERE own.namespace = reader.namespace AND own.name = reader.name)
    RETURN reader
  } OR EXISTS {
    UNWIND $pipelines AS key
    MATCH (:Job {namespace: key.namespace, name: key.name})-[:WRITES]->(:Dataset)<-[:READS]-(reader:Job)
    WHERE reader.deletedAt IS NULL
      AND NOT any(own IN $pipelines WHERE own.namespace = reader.namespace AND own.name = reader.name)
    RETURN reader
  } AS read,
  EXISTS {
    UNWIND $inputs AS input
    MATCH (:DatasetName {namespace: input.namespace, name: input.name})-[:NAMES]->(:Dataset)<-[:WRITES]-(writer:Job)
    WHERE writer.deletedAt IS NULL
      AND NOT any(own IN $pipelines WHERE own.namespace = writer.namespace AND own.name = writer.name)
    RETURN writer
  } AS written
