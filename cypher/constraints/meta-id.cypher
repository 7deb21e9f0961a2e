// One Meta node.
// => nothing
CREATE CONSTRAINT meta_id IF NOT EXISTS FOR (meta:Meta) REQUIRE meta.id IS UNIQUE
