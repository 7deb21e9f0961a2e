import { z } from 'zod';

const answerSchema = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).partial().optional() })).optional(),
});

/** The API answered with an error. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

export interface GraphqlClientSettings {
  /** e.g. `http://localhost:4000` */
  readonly url: string;
  readonly token: string | null;
  readonly signal: AbortSignal;
}

/** One operation at a time; the answer is checked against a schema. */
export class GraphqlClient {
  constructor(private readonly settings: GraphqlClientSettings) {}

  /** @throws ApiError when the answer has errors */
  async ask<T>(query: string, variables: Readonly<Record<string, unknown>>, schema: z.ZodType<T>): Promise<T> {
    const { url, token, signal } = this.settings;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
      signal,
    });
    const answer = answerSchema.parse(await response.json());
    const [error] = answer.errors ?? [];
    if (error !== undefined) throw new ApiError(error.extensions?.code ?? 'UNKNOWN', error.message);
    return schema.parse(answer.data);
  }
}
