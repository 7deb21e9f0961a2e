// Forgets which edge sets a job was last seen to have at these outputs: it writes them no more.
// $jobId      string
// $outputIds  list of strings  or null: all
// => nothing
// Index: job_id
MATCH (:Job {id: $jobId})-[latest:LAST_OBSERVED]->(dataset:Dataset)
WHERE $outputIds IS NULL OR dataset.id IN $outputIds
DELETE latest
