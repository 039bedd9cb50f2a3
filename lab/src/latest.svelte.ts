import { untrack } from 'svelte';

/** The newest answer to a question that changes while it is answered. */
export interface Latest<T> {
  /** Undefined before the first; after an error, the one before. */
  readonly value: T | undefined;
  /** A sentence; '' where the newest question was answered. */
  readonly error: string;
  /** A question is under way. */
  readonly busy: boolean;
  /** Asks anew with the settings of now; resolves when that is answered. */
  again(): Promise<void>;
}

/**
 * Asks again whenever the settings change: one question at a time, and while it is answered only the newest settings wait. To be called
 * while a component is made.
 * @param settings undefined: nothing is to be asked
 * @param options.pause milliseconds without a change before anything is asked
 */
export function latest<S, T>(
  settings: () => S | undefined,
  answer: (settings: S) => Promise<T>,
  { pause = 0 }: { readonly pause?: number } = {},
): Latest<T> {
  let value = $state.raw<T>();
  let error = $state('');
  let busy = $state(false);
  let waiting: { readonly settings: S } | undefined;
  let running: Promise<void> | undefined;
  let gone = false;
  async function run(): Promise<void> {
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
    running = undefined;
    busy = false;
  }
  async function put(now: S): Promise<void> {
    waiting = { settings: now };
    busy = true;
    running ??= run();
    await running;
  }
  $effect(() => {
    const now = settings();
    if (now === undefined) return;
    if (pause === 0) return untrack(() => void put(now));
    const timer = setTimeout(() => put(now), pause);
    return () => clearTimeout(timer);
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
    get busy() {
      return busy;
    },
    async again() {
      const now = untrack(settings);
      if (now !== undefined) await put(now);
    },
  };
}
