import { untrack } from 'svelte';

/** The newest answer to a question that changes while it is answered. */
export interface Latest<T> {
  /** Undefined before the first. */
  readonly value: T | undefined;
  readonly error: string;
}

/**
 * Asks again whenever the settings change: one question at a time, and while it is answered only the newest settings wait. To be called
 * while a component is made.
 */
export function latest<S, T>(settings: () => S, answer: (settings: S) => Promise<T>): Latest<T> {
  let value = $state.raw<T>();
  let error = $state('');
  let waiting: { readonly settings: S } | undefined;
  let [running, gone] = [false, false];
  async function run(): Promise<void> {
    running = true;
    while (waiting && !gone) {
      const { settings: now } = waiting;
      waiting = undefined;
      try {
        value = await answer(now);
        error = '';
      } catch (reason) {
        error = (reason as Error).message;
      }
    }
    running = false;
  }
  $effect(() => {
    const now = settings();
    untrack(() => {
      waiting = { settings: now };
      if (!running) void run();
    });
  });
  $effect(() => () => {
    gone = true;
  });
  return {
    get value() {
      return value;
    },
    get error() {
      return error;
    },
  };
}
