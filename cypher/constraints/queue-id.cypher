// One node per queue, locked while the next run is chosen.
// => nothing
CREATE CONSTRAINT queue_id IF NOT EXISTS FOR (queue:Queue) REQUIRE queue.id IS UNIQUE
