import type { Graph } from '../graph/graph.js';
import { findPipelines, listPipelineVersions } from '../graph/pipelines.js';
import type { Page, PageRequest, Pipeline, PipelineVersion } from '../model/catalogue.js';
import type { Connector } from '../model/connector.js';
import { type InvalidSpecError, isPlatformError, PlatformError, type SpecIssue } from '../model/errors.js';
import type { KeptReport } from '../model/impact-report.js';
import type { JobRef } from '../model/lineage-query.js';
import type { CompileRequest, CompileResult } from '../model/run-process.js';
import { type ParsedSpec, parseSpec } from '../pipeline/spec/parse-spec.js';
import type { AuditLog } from './audit.js';
import { issuesInSet } from './check-pipelines.js';
import type { ConnectionService } from './connections.js';
import { deletePipelineOf } from './delete-pipeline.js';
import type { Judge } from './gate.js';
import type { ImpactReportService } from './impact-reports.js';
import { JobService } from './jobs.js';
import { longestList, wholeList } from './pages.js';
import type { PlacedIssue } from './pipeline-order.js';
import { type SavedSet, type SetToSave, saveSet } from './save-pipelines.js';

export interface PipelineServiceParts {
  readonly graph: Graph;
  readonly connections: ConnectionService;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly compile: (request: CompileRequest) => Promise<CompileResult>;
  /** Judges what would be saved. */
  readonly judge: Judge;
  readonly reports: ImpactReportService;
  readonly audit: AuditLog;
  /** Called when a running run has been asked to end because its pipeline was deleted. */
  readonly onCancel?: (runId: string) => void;
  /** Called when queued runs have been aborted because their pipeline was deleted: that is to be logged. */
  readonly onTransition?: (runIds: readonly string[]) => void;
}

interface SaveOptions {
  /** Id of an impact report whose findings the caller answers for. */
  readonly acknowledge?: string | null | undefined;
  readonly actor?: string | null | undefined;
}

export interface SaveRequest extends SaveOptions {
  /** An object, or a string of YAML or JSON. */
  readonly spec: unknown;
  /** 0: must not exist yet; null: any. */
  readonly expectedVersion?: number | null | undefined;
}

export interface SaveSetRequest extends SaveOptions {
  /** 1 to 100. */
  readonly specs: readonly unknown[];
  /** As long as `specs`; null: any. */
  readonly expectedVersions?: readonly (number | null)[] | null | undefined;
}

type NotSaved =
  | { readonly outcome: 'invalid'; readonly issues: readonly SpecIssue[] }
  | { readonly outcome: 'conflict'; readonly message: string }
  /** It breaks readers; nothing was saved. */
  | { readonly outcome: 'blocked'; readonly message: string; readonly report: KeptReport };
export type SavedPipeline = { readonly outcome: 'saved'; readonly pipeline: Pipeline } | NotSaved;
export type SavedPipelines = { readonly outcome: 'saved'; readonly pipelines: readonly Pipeline[] } | NotSaved;

const mostAtOnce = 100;

export class PipelineService {
  readonly #jobs: JobService;

  constructor(private readonly parts: PipelineServiceParts) {
    this.#jobs = new JobService(parts);
  }

  /**
   * Checks a document against the schemas found now and saves it with its planned lineage. An equal spec makes no new version;
   * a deleted key is revived with its id. What breaks a reader is saved only with `acknowledge`.
   *
   * @throws PlatformError CONNECTION_FAILED, ACCESS_DENIED, SECRET_MISSING when a connection cannot be used now; NOT_FOUND for a
   *   report that is not there
   */
  async save({ spec, expectedVersion = null, ...options }: SaveRequest): Promise<SavedPipeline> {
    assertVersion(expectedVersion);
    const saved = await this.#save([spec], [expectedVersion], options, (issues) => issues.map(({ issue }) => issue));
    return saved.outcome === 'saved' ? { outcome: 'saved', pipeline: saved.pipelines[0] as Pipeline } : saved;
  }

  /** Several at once, compiled against one another, judged on the end state and saved in one transaction. @throws as `save` */
  async saveAll({ specs, expectedVersions, ...options }: SaveSetRequest): Promise<SavedPipelines> {
    if (specs.length < 1 || specs.length > mostAtOnce) {
      throw new PlatformError('BAD_USER_INPUT', `\`specs\` holds ${specs.length} documents; it must hold 1 to ${mostAtOnce}.`);
    }
    const expected = expectedVersions ?? specs.map(() => null);
    if (expected.length !== specs.length) {
      throw new PlatformError(
        'BAD_USER_INPUT',
        `\`expectedVersions\` has ${expected.length} items and \`specs\` has ${specs.length}; give one for each, null for any.`,
      );
    }
    for (const version of expected) assertVersion(version);
    return this.#save(specs, expected, options, issuesInSet);
  }

  /** Its id and history stay. @returns false when there was none */
  async delete({ namespace, name }: JobRef): Promise<boolean> {
    const deleted = await this.parts.graph.transaction((transaction) => deletePipelineOf(transaction, { namespace, name }));
    if (deleted?.runningRunId) this.parts.onCancel?.(deleted.runningRunId);
    if (deleted !== null && deleted.abortedRunIds.length > 0) this.parts.onTransition?.(deleted.abortedRunIds);
    return deleted !== null;
  }

  /** null when there is none, or it is deleted. */
  async get({ namespace, name }: JobRef): Promise<Pipeline | null> {
    const [found] = await this.parts.graph.read(findPipelines, { pipelines: [{ namespace, name }] });
    return found ?? null;
  }

  /** By namespace and name, without the deleted ones. */
  list(request: PageRequest & { text?: string | null | undefined }): Promise<Page<Pipeline>> {
    return this.#jobs.list({ text: request.text, first: request.first, after: request.after });
  }

  /** Newest first. */
  async versions(pipelineId: string): Promise<PipelineVersion[]> {
    return wholeList(await this.parts.graph.read(listPipelineVersions, { id: pipelineId, limit: longestList + 1 }), 'versions of this pipeline');
  }

  async #save(
    written: readonly unknown[],
    expectedVersions: readonly (number | null)[],
    { acknowledge = null, actor = null }: SaveOptions,
    issuesOf: (issues: readonly PlacedIssue[]) => readonly SpecIssue[],
  ): Promise<SavedPipelines> {
    const parsed = parseAll(written);
    if ('issues' in parsed) return { outcome: 'invalid', issues: issuesOf(parsed.issues) };
    const saved = await unlessConflict(saveSet(this.parts, { parsed: parsed.parsed, expectedVersions, acknowledge, actor } satisfies SetToSave));
    return saved.outcome === 'invalid' ? { outcome: 'invalid', issues: issuesOf(saved.issues) } : saved;
  }
}

/** Every document, or what is wrong with any of them. */
export function parseAll(written: readonly unknown[]): { readonly parsed: readonly ParsedSpec[] } | { readonly issues: readonly PlacedIssue[] } {
  const issues: PlacedIssue[] = [];
  const parsed = written.flatMap((document, spec) => {
    try {
      return [parseSpec(document)];
    } catch (error) {
      if (!isPlatformError(error) || error.code !== 'INVALID_SPEC') throw error;
      issues.push(...(error as InvalidSpecError).issues.map((issue) => ({ spec, issue })));
      return [];
    }
  });
  return issues.length > 0 ? { issues } : { parsed };
}

async function unlessConflict(saving: Promise<SavedSet>): Promise<SavedSet | { readonly outcome: 'conflict'; readonly message: string }> {
  try {
    return await saving;
  } catch (error) {
    if (isPlatformError(error) && error.code === 'CONFLICT') return { outcome: 'conflict', message: error.message };
    throw error;
  }
}

function assertVersion(expectedVersion: number | null): void {
  if (expectedVersion === null || (Number.isInteger(expectedVersion) && expectedVersion >= 0)) return;
  throw new PlatformError('BAD_USER_INPUT', `\`expectedVersion\` is ${expectedVersion}; it must be a whole number, 0 for a pipeline that does not exist yet.`);
}
