/** The event loop gets a turn at least this often, in milliseconds: for signals, timers and pages. */
const TURN = 50;

/** Gives the event loop its turns between evaluations of a synchronous loss. */
export class Turns {
  private last = performance.now();

  get due(): boolean {
    return performance.now() - this.last >= TURN;
  }

  /** Waits for a turn of the event loop. */
  async take(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.last = performance.now();
  }
}
