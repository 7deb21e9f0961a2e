import type { Graph } from '../graph/graph.js';
import { findPipelines, listPipelineVersions } from '../graph/pipelines.js';
import type { Page, PageRequest, Pipeline, PipelineVersion } from '../model/catalogue.js';
import type { Connector } from '../model/connector.js';
import { type InvalidSpecError, isPlatformError, PlatformError, type SpecIssue } from '../model/errors.js';
import type { JobRef } from '../model/lineage-query.js';
import type { CompileRequest, CompileResult } from '../model/run-process.js';
import { parseSpec } from '../pipeline/spec/parse-spec.js';
import type { ConnectionService } from './connections.js';
import { deletePipelineOf } from './delete-pipeline.js';
import { describeStreams } from './describe-streams.js';
import { JobService } from './jobs.js';
import { longestList, wholeList } from './pages.js';
import { plannedStreams } from './planned-streams.js';
import { type CheckedPipeline, writePipeline } from './save-pipeline.js';

export interface PipelineServiceParts {
  readonly graph: Graph;
  readonly connections: ConnectionService;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly compile: (request: CompileRequest) => Promise<CompileResult>;
  /** Called when a running run has been asked to end because its pipeline was deleted. */
  readonly onCancel?: (runId: string) => void;
}

export interface SaveRequest {
  /** An object, or a string of YAML or JSON. */
  readonly spec: unknown;
  /** 0: must not exist yet; null: any. */
  readonly expectedVersion?: number | null | undefined;
  readonly actor?: string | null | undefined;
}

export type SavedPipeline =
  | { readonly outcome: 'saved'; readonly pipeline: Pipeline }
  | { readonly outcome: 'invalid'; readonly issues: readonly SpecIssue[] }
  | { readonly outcome: 'conflict'; readonly message: string };

export class PipelineService {
  readonly #jobs: JobService;

  constructor(private readonly parts: PipelineServiceParts) {
    this.#jobs = new JobService(parts);
  }

  /**
   * Checks a document against the schemas found now and saves it with its planned lineage. An equal spec makes no new version;
   * a deleted key is revived with its id.
   *
   * @throws PlatformError CONNECTION_FAILED, ACCESS_DENIED, SECRET_MISSING when a connection cannot be used now
   */
  async save({ spec: written, expectedVersion = null, actor = null }: SaveRequest): Promise<SavedPipeline> {
    if (expectedVersion !== null && (!Number.isInteger(expectedVersion) || expectedVersion < 0)) {
      throw new PlatformError(
        'BAD_USER_INPUT',
        `\`expectedVersion\` is ${expectedVersion}; it must be a whole number, 0 for a pipeline that does not exist yet.`,
      );
    }
    try {
      const checked = await this.#check(written);
      if ('issues' in checked) return { outcome: 'invalid', issues: checked.issues };
      return { outcome: 'saved', pipeline: await writePipeline(this.parts.graph, { ...checked, expectedVersion, actor }) };
    } catch (error) {
      if (!isPlatformError(error)) throw error;
      if (error.code === 'INVALID_SPEC') return { outcome: 'invalid', issues: (error as InvalidSpecError).issues };
      if (error.code === 'CONFLICT') return { outcome: 'conflict', message: error.message };
      throw error;
    }
  }

  /** Its id and history stay. @returns false when there was none */
  async delete({ namespace, name }: JobRef): Promise<boolean> {
    const deleted = await this.parts.graph.transaction((transaction) => deletePipelineOf(transaction, { namespace, name }));
    if (deleted?.runningRunId) this.parts.onCancel?.(deleted.runningRunId);
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

  async #check(written: unknown): Promise<Pick<CheckedPipeline, 'spec' | 'document' | 'compiled'> | { issues: readonly SpecIssue[] }> {
    const { spec, document } = parseSpec(written);
    const { connections, connectors, compile, graph } = this.parts;
    const described = await describeStreams(spec, { connections, connectors, findPlanned: plannedStreams(graph, spec) });
    if ('issues' in described) return described;
    const result = await compile(described.request);
    return 'issues' in result ? result : { spec, document, compiled: result.compiled };
  }
}
