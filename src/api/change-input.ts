import { Field, InputType } from 'type-graphql';
import { PlatformError } from '../model/errors.js';
import type { Intention } from '../services/impact-questions.js';
import { ColumnKeyInput, DatasetKeyInput } from './inputs.js';
import { JsonScalar } from './scalars.js';

@InputType('RenameColumn')
export class RenameColumnInput {
  @Field(() => ColumnKeyInput)
  column!: ColumnKeyInput;

  @Field(() => String)
  to!: string;
}

@InputType('RetypeColumn')
export class RetypeColumnInput {
  @Field(() => ColumnKeyInput)
  column!: ColumnKeyInput;

  @Field(() => String, { description: "The store's own word, e.g. numeric(12,2)." })
  to!: string;
}

@InputType('ChangeInput', { description: 'Exactly one of the fields.' })
export class ChangeInput {
  @Field(() => ColumnKeyInput, { nullable: true })
  dropColumn?: ColumnKeyInput | null;

  @Field(() => RenameColumnInput, { nullable: true })
  renameColumn?: RenameColumnInput | null;

  @Field(() => RetypeColumnInput, { nullable: true })
  retypeColumn?: RetypeColumnInput | null;

  @Field(() => DatasetKeyInput, { nullable: true })
  dropDataset?: DatasetKeyInput | null;

  @Field(() => JsonScalar, { nullable: true, description: 'A document as savePipeline takes it: an object, or a string of YAML or JSON.' })
  pipelineSpec?: unknown;
}

const fields = ['dropColumn', 'renameColumn', 'retypeColumn', 'dropDataset', 'pipelineSpec'] as const satisfies readonly (keyof ChangeInput)[];

/** @throws PlatformError BAD_USER_INPUT unless exactly one field is given */
export function intentionOf(change: ChangeInput): Intention {
  const given = fields.filter((field) => change[field] !== null && change[field] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is' : `${given.join(' and ')} are`;
    throw new PlatformError('BAD_USER_INPUT', `A change is exactly one of ${fields.join(', ')}; ${found} given.`);
  }
  const { dropColumn, renameColumn, retypeColumn, dropDataset, pipelineSpec } = change;
  if (dropColumn) return { kind: 'dropColumn', column: dropColumn };
  if (renameColumn) return { kind: 'renameColumn', ...renameColumn };
  if (retypeColumn) return { kind: 'retypeColumn', ...retypeColumn };
  return dropDataset ? { kind: 'dropDataset', dataset: dropDataset } : { kind: 'pipelineSpec', document: pipelineSpec };
}
