/**
 * Identity of one commit of a run at one of its outputs, the same for every attempt.
 *
 * @param outputIndex  place of the output in the pipeline document, from 0
 */
export function loadId(runId: string, outputIndex: number): string {
  return `${runId}/${outputIndex}/1`;
}

/** Place of the output that a load id names. @throws Error when it is not one that `loadId` made */
export function outputOfLoad(id: string): number {
  const index = /^[^/]+\/(\d+)\/1$/.exec(id)?.[1];
  if (index === undefined) throw new Error(`"${id}" is not the id of a load.`);
  return Number(index);
}
