/**
 * Identity of one commit of a run at one of its outputs, the same for every attempt.
 *
 * @param outputIndex  place of the output in the pipeline document, from 0
 */
export function loadId(runId: string, outputIndex: number): string {
  return `${runId}/${outputIndex}/1`;
}
