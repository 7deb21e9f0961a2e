// Counts a change of edges or schemas. Once per transaction.
// => revision integer: the new one
// Index: meta_id
MATCH (meta:Meta {id: 'meta'})
SET meta.revision = meta.revision + 1
RETURN meta.revision AS revision
