// The graph's revision, and the time by the graph's clock.
// => revision integer, now datetime
// Index: meta_id
MATCH (meta:Meta {id: 'meta'})
RETURN meta.revision AS revision, datetime() AS now
