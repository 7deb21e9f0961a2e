/** A node that a walk over columns can pass, with the nodes it leads to. */
export interface WalkNode {
  readonly id: string;
  /** One lineage edge further. */
  readonly edges: readonly string[];
  /** From a dataset to its columns, or upstream from a column to its dataset, at no cost. */
  readonly columns: readonly string[];
}
