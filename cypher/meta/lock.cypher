// Makes every other transaction that wants to change edges or schemas wait until this one ends.
// $lock  string  any value
// => now datetime: the graph's clock once the lock was had, so that later changes have later times
// Index: meta_id
MATCH (meta:Meta {id: 'meta'})
SET meta.lock = $lock
RETURN datetime.truncate('microsecond', datetime.realtime()) AS now
