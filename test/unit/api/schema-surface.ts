import { type DefinitionNode, type FieldDefinitionNode, type InputValueDefinitionNode, Kind, parse, print } from 'graphql';

/** Everything that a client can write: `Type`, `Type.field`, `Type.field(argument)`, `Enum.VALUE`, `Union.Member` and what each is. */
export type Surface = ReadonlyMap<string, string>;

export function surfaceOf(sdl: string): Surface {
  return new Map(parse(sdl).definitions.flatMap(entriesOf));
}

/** Names that both have with another meaning. */
export function differencesOf(ours: Surface, contract: Surface): string[] {
  return [...ours]
    .filter(([name, meaning]) => contract.has(name) && contract.get(name) !== meaning)
    .map(([name, meaning]) => `${name}: ${meaning} instead of ${contract.get(name)}`);
}

/** Names of `whole` that `part` lacks; what belongs to an absent type or field is not listed again. */
export function absencesOf(part: Surface, whole: Surface): string[] {
  const missing = (name: string): boolean => !part.has(name);
  return [...whole.keys()].filter((name) => missing(name) && !ownersOf(name).some(missing)).sort();
}

function ownersOf(name: string): string[] {
  const type = name.split('.')[0] ?? '';
  const field = name.split('(')[0] ?? '';
  return [type, field].filter((owner) => owner !== name);
}

function entriesOf(definition: DefinitionNode): [string, string][] {
  switch (definition.kind) {
    case Kind.SCALAR_TYPE_DEFINITION:
      return [[definition.name.value, 'scalar']];
    case Kind.ENUM_TYPE_DEFINITION:
      return [
        [definition.name.value, 'enum'],
        ...(definition.values ?? []).map(({ name }): [string, string] => [`${definition.name.value}.${name.value}`, 'value']),
      ];
    case Kind.UNION_TYPE_DEFINITION:
      return [
        [definition.name.value, 'union'],
        ...(definition.types ?? []).map(({ name }): [string, string] => [`${definition.name.value}.${name.value}`, 'member']),
      ];
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return [
        [definition.name.value, 'input'],
        ...(definition.fields ?? []).map((field): [string, string] => [`${definition.name.value}.${field.name.value}`, inputMeaning(field)]),
      ];
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const type = definition.name.value;
      const kind = definition.kind === Kind.OBJECT_TYPE_DEFINITION ? 'type' : 'interface';
      const interfaces = (definition.interfaces ?? []).map(({ name }) => name.value).sort();
      return [[type, [kind, ...interfaces].join(' ')], ...(definition.fields ?? []).flatMap((field) => fieldEntries(type, field))];
    }
    default:
      return [];
  }
}

function fieldEntries(type: string, { name, type: result, arguments: given }: FieldDefinitionNode): [string, string][] {
  const field = `${type}.${name.value}`;
  return [[field, print(result)], ...(given ?? []).map((argument): [string, string] => [`${field}(${argument.name.value})`, inputMeaning(argument)])];
}

function inputMeaning({ type, defaultValue }: InputValueDefinitionNode): string {
  return defaultValue === undefined ? print(type) : `${print(type)} = ${print(defaultValue)}`;
}
