/** What a page may tell a stream of events that it follows. */
export type Control =
  | { readonly control: 'pause' | 'resume' | 'cancel' }
  /** While paused: so many events more. */
  | { readonly control: 'step'; readonly events: number }
  /** At least so many milliseconds from one event to the next. */
  | { readonly control: 'pace'; readonly milliseconds: number };

/** How a stream begins. */
export interface FlowStart {
  readonly paused?: boolean;
  readonly pace?: number;
}

/** Events are sent in bundles, this many milliseconds apart at least, unless they are made slower. */
const BUNDLE = 33;

/** The event loop gets a turn: messages that have come are heard. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Lets a stream of events run, pause, go step by step or slowly, or end: an event is only made when it may pass. */
export class Flow {
  private readonly ending = new AbortController();
  private paused: boolean;
  private pace: number;
  private steps = 0;
  private last = Number.NEGATIVE_INFINITY;
  private wake: () => void = () => {};

  constructor({ paused = false, pace = 0 }: FlowStart = {}) {
    this.paused = paused;
    this.pace = pace;
  }

  /** Aborted when the page no longer wants the answer. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  control(told: Control): void {
    if (told.control === 'cancel') this.ending.abort();
    else if (told.control === 'pace') this.pace = told.milliseconds;
    else if (told.control === 'step') this.steps += told.events;
    else {
      this.paused = told.control === 'pause';
      this.steps = 0;
    }
    this.wake();
  }

  /** Sends the events in bundles. @throws the signal's reason when it is cancelled, or what the stream throws */
  async run<E>(events: AsyncGenerator<E, void>, send: (bundle: readonly E[]) => void): Promise<void> {
    let bundle: E[] = [];
    let sent = performance.now();
    const flush = (): void => {
      if (bundle.length > 0) send(bundle);
      bundle = [];
      sent = performance.now();
    };
    try {
      while (true) {
        if (this.paused || this.pace > 0) flush();
        await this.mayPass();
        const { done, value } = await events.next();
        if (done) break;
        this.last = performance.now();
        bundle.push(value);
        if (this.last - sent < BUNDLE) continue;
        flush();
        await turn();
      }
    } finally {
      flush();
      await events.return();
    }
  }

  private async mayPass(): Promise<void> {
    while (!this.signal.aborted) {
      const wait = this.paused ? (this.steps > 0 ? 0 : undefined) : this.last + this.pace - performance.now();
      if (wait !== undefined && wait <= 0) break;
      await new Promise<void>((resolve) => {
        const timer = wait === undefined ? undefined : setTimeout(resolve, wait);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.signal.throwIfAborted();
    if (this.paused) this.steps--;
  }
}
