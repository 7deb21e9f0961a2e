/** An outside system, by name. `config` holds secrets as `${env:NAME}` references only. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Fixed when the connection is made, so that its datasets keep their names. */
  readonly datasetNamespace: string;
  readonly createdAt: string;
}
