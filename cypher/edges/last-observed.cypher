// The edge set that each output of a job was last seen to have, and the run that had it.
// $jobIds  list of strings
// => jobId string, outputId string, runId string, edgeSetHash string
// Index: job_id
UNWIND $jobIds AS jobId
MATCH (:Job {id: jobId})-[latest:LAST_OBSERVED]->(dataset:Dataset)
RETURN jobId, dataset.id AS outputId, latest.runId AS runId, latest.edgeSetHash AS edgeSetHash
