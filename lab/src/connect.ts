import type { Control, FlowStart } from './worker/flow.ts';
import type { Answer, Port, Reply } from './worker/serve.ts';

type Table = Readonly<Record<string, Answer>>;
type Argument<F> = F extends (...given: infer A) => unknown
  ? A extends [infer First, ...unknown[]]
    ? [First]
    : []
  : [];
/** Names of the answers that are values. */
type Values<A> = { [N in keyof A]: A[N] extends (...given: never) => Promise<unknown> ? N : never }[keyof A];
/** Names of the answers that are streams. */
type Streams<A> = { [N in keyof A]: A[N] extends (...given: never) => AsyncGenerator ? N : never }[keyof A];
type EventOf<F> = F extends (...given: never) => AsyncGenerator<infer E, void> ? E : never;
type ValueOf<F> = F extends (...given: never) => Promise<infer V> ? V : never;

/** A stream of events from the worker, in bundles; leaving a `for await` over it cancels it. */
export interface Following<E> extends AsyncIterable<readonly E[]> {
  /** No more is computed after the event under way. */
  pause(): void;
  resume(): void;
  /** While paused: so many events more. */
  step(events?: number): void;
  /** At least so many milliseconds from one event to the next; 0 is as fast as can be. */
  pace(milliseconds: number): void;
  /** Ends it, in the worker too; the iteration ends. */
  cancel(): void;
}

/** The page's end: asks the worker's answers. */
export interface Connection<A extends Table> {
  /** Asks for a value; rejects with the sentence of what went wrong. */
  ask<N extends Values<A>>(name: N, ...argument: Argument<A[N]>): Promise<ValueOf<A[N]>>;
  /** Asks for a stream; iterating throws the sentence of what went wrong. */
  follow<N extends Streams<A>>(name: N, argument: Argument<A[N]>[0], start?: FlowStart): Following<EventOf<A[N]>>;
  /** Ends everything under way, and whatever is asked later, with an error: the worker has died. */
  fail(reason: Error): void;
}

interface Waiting {
  events(bundle: readonly unknown[]): void;
  resolve(value: unknown): void;
  reject(reason: Error): void;
}

/** @param port whose other end `serve` answers */
export function connect<A extends Table>(port: Port): Connection<A> {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let failed: Error | undefined;
  port.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
    const entry = waiting.get(data.id);
    if ('events' in data) return entry?.events(data.events);
    waiting.delete(data.id);
    if ('error' in data) entry?.reject(new Error(data.error));
    else entry?.resolve(data.result);
  });
  return {
    ask(name, ...[argument]) {
      const id = count++;
      return new Promise((resolve, reject) => {
        if (failed) return reject(failed);
        waiting.set(id, { events() {}, resolve: resolve as Waiting['resolve'], reject });
        port.postMessage({ id, name, argument });
      });
    },
    follow(name, argument, start) {
      const id = count++;
      const queue = new Queue();
      const tell = (told: Control): void => port.postMessage({ id, ...told });
      if (failed) queue.reject(failed);
      else {
        waiting.set(id, queue);
        port.postMessage({ id, name, argument, start });
      }
      const cancel = (): void => {
        if (waiting.delete(id)) tell({ control: 'cancel' });
        queue.resolve();
      };
      return {
        pause: () => tell({ control: 'pause' }),
        resume: () => tell({ control: 'resume' }),
        step: (events = 1) => tell({ control: 'step', events }),
        pace: (milliseconds) => tell({ control: 'pace', milliseconds }),
        cancel,
        async *[Symbol.asyncIterator]() {
          try {
            for (let bundle = await queue.take(); bundle; bundle = await queue.take()) yield bundle as never;
          } finally {
            cancel();
          }
        },
      };
    },
    fail(reason) {
      failed = reason;
      for (const entry of waiting.values()) entry.reject(reason);
      waiting.clear();
    },
  };
}

/** What has come and was not yet taken. */
class Queue implements Waiting {
  private bundle: unknown[] = [];
  private error: Error | undefined;
  private ended = false;
  private wake: () => void = () => {};

  events(bundle: readonly unknown[]): void {
    this.bundle.push(...bundle);
    this.wake();
  }

  resolve(): void {
    this.ended = true;
    this.wake();
  }

  reject(reason: Error): void {
    this.error = reason;
    this.resolve();
  }

  /** All that has come, once something has; undefined at the end. @throws the error that ended it */
  async take(): Promise<readonly unknown[] | undefined> {
    while (this.bundle.length === 0 && !this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    const { bundle } = this;
    this.bundle = [];
    if (bundle.length > 0) return bundle;
    if (this.error) throw this.error;
    return undefined;
  }
}
