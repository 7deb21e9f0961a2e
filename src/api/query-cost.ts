import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Fields that one operation may cause to be answered, by the estimate below. */
export const largestCost = 10_000_000;
/** Fields within fields, fragments counted where they are used. */
export const deepestFields = 30;

/** Selections looked at before a query counts as too large: fragments within fragments multiply faster than costs do. */
const mostSelections = 50_000;

/** Arguments that bound a list, with the most that they may be; what is beyond is refused by the resolver, with a better reason. */
const largestBounds: Readonly<Record<string, number>> = { first: 1_000, maxNodes: 200_000 };

/** Items of a list whose length nobody bounds. */
const assumedItems = 5;

export interface OperationToJudge {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Walk {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
  selections: number;
}

/**
 * Refuses an operation before it is executed when it is too deep or would answer too many fields. A field costs 1 for each
 * time it is answered: a list multiplies by `first` or `maxNodes` where it has them, else by 5.
 *
 * @throws GraphQLError QUERY_TOO_LARGE with both numbers
 */
export function assertAffordable({ schema, document, operation, variables }: OperationToJudge): void {
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  const walk: Walk = { schema, operation, variables, selections: 0, fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])) };
  const root = schema.getRootType(operation.operation);
  if (root == null) return;
  const cost = costOf(walk, operation.selectionSet, root, 1, 1);
  if (cost > largestCost) {
    throw tooLarge(
      `The query may answer ${Math.round(cost).toLocaleString('en')} fields; at most ${largestCost.toLocaleString('en')} are allowed. Ask for smaller pages or fewer fields.`,
    );
  }
}

/** Ends early, so that a small text that stands for an enormous query costs little to refuse. */
function costOf(walk: Walk, { selections }: SelectionSetNode, type: GraphQLNamedType, times: number, depth: number): number {
  if (depth > deepestFields) throw tooLarge(`The query nests fields more than ${deepestFields} deep. Ask in several queries.`);
  let cost = 0;
  walk.selections += selections.length;
  if (walk.selections > mostSelections)
    throw tooLarge(`The query selects more than ${mostSelections.toLocaleString('en')} fields when its fragments are put in. Ask in several queries.`);
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) cost += fieldCost(walk, selection, type, times, depth);
    else {
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? walk.fragments.get(selection.name.value) : selection;
      const onType = fragment?.typeCondition == null ? type : (walk.schema.getType(fragment.typeCondition.name.value) ?? type);
      if (fragment !== undefined) cost += costOf(walk, fragment.selectionSet, onType, times, depth);
    }
    if (cost > largestCost) return cost;
  }
  return cost;
}

function fieldCost(walk: Walk, field: FieldNode, type: GraphQLNamedType, times: number, depth: number): number {
  const name = field.name.value;
  if (field.selectionSet === undefined || name.startsWith('__')) return times;
  const found = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
  if (found === undefined) return times;
  const items = itemsOf(walk, field, found);
  return times + costOf(walk, field.selectionSet, getNamedType(found.type), times * items, depth + 1);
}

/** A page's length is counted at the field that has `first`; its `edges` then count as one each. */
function itemsOf(walk: Walk, field: FieldNode, definition: GraphQLField<unknown, unknown>): number {
  for (const [name, most] of Object.entries(largestBounds)) {
    const bound = numberArgument(walk, field, definition, name);
    if (bound !== null) return Math.min(Math.max(1, bound), most);
  }
  const takenByParent = ['edges', 'nodes'].includes(field.name.value);
  return isListType(getNullableType(definition.type)) && !takenByParent ? assumedItems : 1;
}

function numberArgument({ operation, variables }: Walk, field: FieldNode, definition: GraphQLField<unknown, unknown>, name: string): number | null {
  const value = field.arguments?.find((argument) => argument.name.value === name)?.value;
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind === Kind.VARIABLE) {
    const given = variables[value.name.value];
    if (typeof given === 'number') return given;
    const declared = operation.variableDefinitions?.find(({ variable }) => variable.name.value === value.name.value)?.defaultValue;
    if (given === undefined && declared?.kind === Kind.INT) return Number(declared.value);
  }
  const standard = definition.args.find((argument) => argument.name === name)?.defaultValue;
  return typeof standard === 'number' ? standard : null;
}

function tooLarge(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'QUERY_TOO_LARGE', http: { status: 400 } } });
}
