import { type CST, Parser, parseDocument } from 'yaml';
import { InvalidSpecError, PlatformError } from '../../model/errors.js';

const longestDocument = 1_000_000;
const deepestNesting = 100;
const mostErrors = 20;

/**
 * A document of YAML or JSON as a value.
 *
 * @param text  at most 1,000,000 characters, at most 100 levels deep
 * @throws InvalidSpecError when it is not YAML, PlatformError BAD_USER_INPUT when it is too long
 */
export function parseYaml(text: string): unknown {
  if (text.length > longestDocument)
    throw new PlatformError('BAD_USER_INPUT', `The document has ${text.length} characters; at most ${longestDocument} are read.`);
  if (isTooDeep(text)) throw problem(`The document is nested more than ${deepestNesting} levels deep.`);
  const parsed = parseDocument(text, { prettyErrors: true });
  if (parsed.errors.length > 0)
    throw new InvalidSpecError(parsed.errors.slice(0, mostErrors).map(({ message }) => ({ path: '', message: `This is not YAML: ${firstLine(message)}` })));
  try {
    return parsed.toJS();
  } catch (error) {
    throw problem(`This YAML cannot be read: ${error instanceof Error ? firstLine(error.message) : String(error)}`);
  }
}

type Node = CST.Token | null | undefined;

/**
 * Composing a document recurses with its nesting, and V8 ends the whole process when it compiles a regular expression with the stack
 * nearly full. So the depth is counted first, on the tokens, without recursion.
 */
function isTooDeep(text: string): boolean {
  const waiting: { readonly node: Node; readonly depth: number }[] = [...new Parser().parse(text)].map((node) => ({ node, depth: 0 }));
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const { node, depth } = entry;
    if (depth > deepestNesting) return true;
    for (const child of childrenOf(node)) waiting.push({ node: child, depth: depth + 1 });
  }
  return false;
}

function childrenOf(node: Node): Node[] {
  if (!node) return [];
  if ('items' in node) return node.items.flatMap(({ key, value }) => [key, value]);
  return node.type === 'document' ? [node.value] : [];
}

function problem(message: string): InvalidSpecError {
  return new InvalidSpecError([{ path: '', message }]);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/:$/, '') ?? text;
}
