import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute } from 'graphql';

type Events = AsyncIterator<unknown, unknown, undefined>;
type Step = IteratorResult<ExecutionResult, undefined>;
const done: Step = { done: true, value: undefined };

/** As graphql-js subscribes, but with a context of its own for each event: what one event has loaded is old for the next. */
export async function subscribeAfresh(args: ExecutionArgs, contextOf: () => unknown): Promise<ExecutionResult | ExecutedEvents> {
  const source = await createSourceEventStream({ ...args, contextValue: contextOf() });
  if (!(Symbol.asyncIterator in source)) return source;
  return new ExecutedEvents(source[Symbol.asyncIterator](), async (event) => execute({ ...args, rootValue: event, contextValue: contextOf() }));
}

/** Answers of one subscription. Not a generator: one that waits cannot be ended from outside. */
export class ExecutedEvents implements AsyncIterableIterator<ExecutionResult, undefined, undefined> {
  constructor(
    private readonly events: Events,
    private readonly answer: (event: unknown) => Promise<ExecutionResult>,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Step> {
    const step = await this.events.next();
    return step.done ? done : { done: false, value: await this.answer(step.value) };
  }

  async return(): Promise<Step> {
    await this.events.return?.();
    return done;
  }

  async throw(error: unknown): Promise<Step> {
    await this.events.return?.();
    throw error;
  }
}
