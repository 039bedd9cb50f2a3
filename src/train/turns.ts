/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

/** Turns of the event loop in a computation that would else block it. */
export class Turns {
  private readonly signal: AbortSignal | undefined;
  private last = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  /** Lets the event loop run where its turn is due. @throws the signal's reason once it is aborted */
  async take(): Promise<void> {
    if (performance.now() - this.last > TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.last = performance.now();
    }
    this.signal?.throwIfAborted();
  }
}
