import { createUnionType, Field, InterfaceType, ObjectType } from 'type-graphql';
import type { ErrorCode, SpecIssue } from '../../model/errors.js';
import { RunType } from './runs.js';

type ProblemName = 'InvalidSpec' | 'GateBlocked' | 'NotFound' | 'Conflict';

@InterfaceType('Problem', {
  description: 'What a client must be ready for; anything else is a GraphQL error with extensions.code.',
  resolveType: ({ typeName }: ProblemType) => typeName,
})
export abstract class ProblemType {
  abstract readonly typeName: ProblemName;

  @Field(() => String)
  code!: ErrorCode;

  @Field(() => String)
  message!: string;
}

@ObjectType('SpecIssue', { description: 'One thing that is wrong with a pipeline document.' })
export class SpecIssueType implements SpecIssue {
  @Field(() => String, { description: 'As in steps[2].map.columns.total.' })
  path!: string;

  @Field(() => String)
  message!: string;
}

@ObjectType('InvalidSpec', { description: 'Nothing was saved. `issues` names every problem found.', implements: ProblemType })
export class InvalidSpecType extends ProblemType {
  readonly typeName = 'InvalidSpec';

  @Field(() => [SpecIssueType])
  issues: readonly SpecIssue[];

  constructor(issues: readonly SpecIssue[]) {
    super();
    this.code = 'INVALID_SPEC';
    this.message =
      issues.length === 1
        ? 'The pipeline document has one problem; nothing was saved.'
        : `The pipeline document has ${issues.length} problems; nothing was saved.`;
    this.issues = issues;
  }
}

@ObjectType('NotFound', { implements: ProblemType })
export class NotFoundType extends ProblemType {
  readonly typeName = 'NotFound';

  constructor(message: string) {
    super();
    this.code = 'NOT_FOUND';
    this.message = message;
  }
}

@ObjectType('Conflict', { implements: ProblemType })
export class ConflictType extends ProblemType {
  readonly typeName = 'Conflict';

  constructor(message: string) {
    super();
    this.code = 'CONFLICT';
    this.message = message;
  }
}

/** Of an object type of a union: problems know theirs. */
export function nameOf(value: object, otherwise: string): string {
  return 'typeName' in value ? String(value.typeName) : otherwise;
}

export const RunResult = createUnionType({
  name: 'RunResult',
  types: () => [RunType, NotFoundType, ConflictType] as const,
  resolveType: (value: object) => nameOf(value, 'Run'),
});
