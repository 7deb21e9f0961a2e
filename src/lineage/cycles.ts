type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * Sets of nodes that reach one another: strongly connected components of more than one node, and nodes with an edge to
 * themselves. Each in ascending order. Without recursion, so that a deep graph does not overflow the stack.
 *
 * @see R. Tarjan, Depth-First Search and Linear Graph Algorithms, SIAM Journal on Computing 1, 1972
 */
export function cycles(pairs: Iterable<readonly [from: string, to: string]>): string[][] {
  const edges = new Map<string, string[]>();
  const toThemselves = new Set<string>();
  for (const [from, to] of pairs) {
    const known = edges.get(from);
    if (known === undefined) edges.set(from, [to]);
    else known.push(to);
    if (from === to) toThemselves.add(from);
  }
  const search = new ComponentSearch(edges);
  for (const node of edges.keys()) search.visit(node);
  return search.components.filter((component) => component.length > 1 || toThemselves.has(component[0] ?? '')).map((component) => component.sort());
}

interface Visit {
  readonly node: string;
  readonly edges: readonly string[];
  next: number;
}

class ComponentSearch {
  readonly components: string[][] = [];
  readonly #order = new Map<string, number>();
  readonly #lowest = new Map<string, number>();
  readonly #open: string[] = [];
  readonly #isOpen = new Set<string>();
  readonly #visits: Visit[] = [];

  constructor(private readonly edges: Edges) {}

  visit(root: string): void {
    if (!this.#order.has(root)) this.#enter(root);
    for (let visit = this.#visits.at(-1); visit !== undefined; visit = this.#visits.at(-1)) {
      const target = visit.edges[visit.next];
      visit.next += 1;
      if (target === undefined) this.#leave(visit.node);
      else if (!this.#order.has(target)) this.#enter(target);
      else if (this.#isOpen.has(target)) this.#lower(visit.node, this.#order.get(target) ?? 0);
    }
  }

  #enter(node: string): void {
    const order = this.#order.size;
    this.#order.set(node, order);
    this.#lowest.set(node, order);
    this.#open.push(node);
    this.#isOpen.add(node);
    this.#visits.push({ node, edges: this.edges.get(node) ?? [], next: 0 });
  }

  #leave(node: string): void {
    this.#visits.pop();
    const lowest = this.#lowest.get(node) ?? 0;
    const parent = this.#visits.at(-1);
    if (parent !== undefined) this.#lower(parent.node, lowest);
    if (lowest === this.#order.get(node)) this.#close(node);
  }

  #close(node: string): void {
    const component = this.#open.splice(this.#open.lastIndexOf(node));
    for (const member of component) this.#isOpen.delete(member);
    this.components.push(component);
  }

  #lower(node: string, order: number): void {
    if (order < (this.#lowest.get(node) ?? order)) this.#lowest.set(node, order);
  }
}
