import { InvalidSpecError, PlatformError } from '../model/errors.js';
import type { Change } from '../model/impact.js';
import type { KeptReport, ReportSubject } from '../model/impact-report.js';
import { type CheckParts, checkPipelines } from './check-pipelines.js';
import { changeOf, type GateParts } from './gate.js';
import type { PlacedIssue } from './pipeline-order.js';
import { parseAll } from './pipelines.js';
import { savedVersions, subjectsOf } from './save-pipelines.js';

/** What somebody intends to do: to our sources, or to a pipeline, whose document is not parsed yet. */
export type Intention = Exclude<Change, { kind: 'pipelineSpecs' }> | { readonly kind: 'pipelineSpec'; readonly document: unknown };

/** Judges a change before anybody makes it; the verdict is kept. */
export class ImpactService {
  constructor(private readonly parts: CheckParts & GateParts) {}

  /**
   * @param maxDepth  jobs behind the changed node, at least 0; null: all
   * @throws PlatformError NOT_FOUND for a column or dataset that is not there; BAD_USER_INPUT for a change that changes nothing;
   *   INVALID_SPEC with the issues of a document
   */
  async report(intention: Intention, maxDepth: number | null): Promise<KeptReport> {
    if (maxDepth !== null && (!Number.isInteger(maxDepth) || maxDepth < 0)) {
      throw new PlatformError('BAD_USER_INPUT', `\`maxDepth\` is ${maxDepth}; it must be a whole number, at least 0.`);
    }
    const { change, subjects } = intention.kind === 'pipelineSpec' ? await this.#ofDocument(intention.document) : { change: intention, subjects: [] };
    const judged = await this.parts.judge(change, maxDepth);
    if (judged.outcome === 'invalid') throw invalid(judged.issues);
    return this.parts.reports.keep(judged.report, subjects);
  }

  async #ofDocument(document: unknown): Promise<{ readonly change: Change; readonly subjects: readonly ReportSubject[] }> {
    const parsed = parseAll([document]);
    if ('issues' in parsed) throw invalid(parsed.issues);
    const versions = await savedVersions(this.parts, parsed.parsed);
    const result = await checkPipelines(this.parts, parsed.parsed);
    if ('issues' in result) throw invalid(result.issues);
    return { change: changeOf(result.checked), subjects: subjectsOf(result.checked, versions) };
  }
}

function invalid(issues: readonly PlacedIssue[]): InvalidSpecError {
  return new InvalidSpecError(issues.map(({ issue }) => issue));
}
