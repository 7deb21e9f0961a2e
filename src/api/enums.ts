import { registerEnumType } from 'type-graphql';
import type { NodeKind as NodeKindWord } from '../model/catalogue.js';
import type { DeadLetterStatus as DeadLetterStatusWord } from '../model/dead-letter.js';
import type { ImpactGroup as ImpactGroupWord, Severity as SeverityWord } from '../model/impact.js';
import type { Direction as DirectionWord, EdgeType as EdgeTypeWord, Evidence as EvidenceWord, LineageLevel as LineageLevelWord } from '../model/lineage.js';
import type { Truncation as TruncationWord } from '../model/lineage-query.js';
import type { RunState as RunStateWord } from '../model/run.js';

type Words<T extends string> = { readonly [Word in T]: Word };

export const NodeKind: Words<NodeKindWord> = { DATASET: 'DATASET', COLUMN: 'COLUMN', JOB: 'JOB', RUN: 'RUN' };
registerEnumType(NodeKind, { name: 'NodeKind' });

export const RunState: Words<RunStateWord> = {
  QUEUED: 'QUEUED',
  RUNNING: 'RUNNING',
  COMPLETE: 'COMPLETE',
  FAIL: 'FAIL',
  ABORT: 'ABORT',
  SKIPPED: 'SKIPPED',
};
registerEnumType(RunState, { name: 'RunState', description: "COMPLETE, FAIL and ABORT are OpenLineage's words, and final." });

export const Direction: Words<DirectionWord> = { UPSTREAM: 'UPSTREAM', DOWNSTREAM: 'DOWNSTREAM', BOTH: 'BOTH' };
registerEnumType(Direction, { name: 'Direction' });

export const LineageLevel: Words<LineageLevelWord> = { DATASET: 'DATASET', COLUMN: 'COLUMN' };
registerEnumType(LineageLevel, { name: 'LineageLevel' });

export const EdgeType: Words<EdgeTypeWord> = { DIRECT: 'DIRECT', INDIRECT: 'INDIRECT' };
registerEnumType(EdgeType, { name: 'EdgeType', description: 'OpenLineage columnLineage transformation types.' });

export const Evidence: Words<EvidenceWord> = { EXECUTED: 'EXECUTED', DECLARED: 'DECLARED' };
registerEnumType(Evidence, { name: 'Evidence', description: 'How we know: EXECUTED by this platform, DECLARED by a saved pipeline, run or not.' });

export const Truncation: Words<TruncationWord> = { MAX_NODES: 'MAX_NODES', MAX_DEPTH: 'MAX_DEPTH' };
registerEnumType(Truncation, { name: 'Truncation' });

export const DeadLetterStatus: Words<DeadLetterStatusWord> = { OPEN: 'OPEN', REPLAYED: 'REPLAYED', DISCARDED: 'DISCARDED' };
registerEnumType(DeadLetterStatus, { name: 'DeadLetterStatus' });

export const Severity: Words<SeverityWord> = { BREAKS: 'BREAKS', CHANGES_VALUES: 'CHANGES_VALUES', STALE: 'STALE', NONE: 'NONE' };
registerEnumType(Severity, {
  name: 'Severity',
  description: 'BREAKS: the job can no longer run. CHANGES_VALUES: runs, other values. STALE: no longer refreshed, because something upstream breaks. NONE.',
});

export const ImpactGroup: Words<ImpactGroupWord> = { KIND: 'KIND', OWNER: 'OWNER', NAMESPACE: 'NAMESPACE', TAG: 'TAG', SEVERITY: 'SEVERITY' };
registerEnumType(ImpactGroup, { name: 'ImpactGroup' });
