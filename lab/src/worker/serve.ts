import { type Control, Flow, type FlowStart } from './flow.ts';

/** What an answer may use beside its argument. */
export interface AnswerOptions {
  /** Aborted when the page no longer wants the answer. */
  readonly signal: AbortSignal;
}

/** One answer: a value, or a stream of events, which an async generator makes. Both are plain data. */
export type Answer = (argument: never, options: AnswerOptions) => Promise<unknown> | AsyncGenerator<unknown, void>;

/** From the page; about a stream under way, the page sends its number and a `Control`. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
  readonly start?: FlowStart | undefined;
}

/** To the page: bundles of events, and at the end a result (undefined after events) or a sentence of what went wrong. */
export type Reply =
  | { readonly id: number; readonly events: readonly unknown[] }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** One end of a channel of messages: a worker's own scope, a Worker, or a MessagePort. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/**
 * Answers questions that come through a port. Several may be under way: streams take turns, event by event; an answer that is no stream
 * holds up the others for as long as it computes without a pause.
 */
export function serve(port: Port, answers: Readonly<Record<string, Answer>>): void {
  const flows = new Map<number, Flow>();
  async function answer({ id, name, argument, start }: Question): Promise<void> {
    const flow = new Flow(start);
    flows.set(id, flow);
    try {
      const given = answers[name](argument as never, { signal: flow.signal });
      if (Symbol.asyncIterator in given) {
        await flow.run(given, (events) => port.postMessage({ id, events } satisfies Reply));
        port.postMessage({ id, result: undefined } satisfies Reply);
      } else port.postMessage({ id, result: await given } satisfies Reply);
    } catch (error) {
      port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies Reply);
    } finally {
      flows.delete(id);
    }
  }
  port.addEventListener('message', ({ data }: MessageEvent<Question | ({ id: number } & Control)>) => {
    if ('control' in data) flows.get(data.id)?.control(data);
    else void answer(data);
  });
}
