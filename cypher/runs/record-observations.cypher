// Records the edge sets that a run was seen to have, one per output, and that they are the pipeline's latest.
// $id            string
// $observations  list of {datasetId string, edgeSetHash string}
// => nothing
// Index: run_id, dataset_id
MATCH (run:Run {id: $id})-[:OF]->(pipeline:Job)
UNWIND $observations AS observation
MATCH (dataset:Dataset {id: observation.datasetId})
CREATE (run)-[:OBSERVED {at: run.endedAt, edgeSetHash: observation.edgeSetHash}]->(dataset)
MERGE (pipeline)-[latest:LAST_OBSERVED]->(dataset)
SET latest.at = run.endedAt, latest.edgeSetHash = observation.edgeSetHash, latest.runId = run.id
