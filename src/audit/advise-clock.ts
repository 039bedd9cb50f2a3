/** How far a search is. */
export interface ProgressEvent {
  readonly event: 'progress';
  readonly what: string;
  /** Of the time. */
  readonly share: number;
  readonly secondsLeft: number;
}

/** Shares out the time that there is. */
export class Clock {
  private readonly seconds: number;
  private readonly start = performance.now();

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Seconds. */
  get elapsed(): number {
    return (performance.now() - this.start) / 1000;
  }

  get used(): number {
    return this.elapsed / this.seconds;
  }

  /** Training time of one of so many, until a share of all time is used; engines and validation take a part of it. */
  share(until: number, count: number): number {
    return Math.max(0.02 * this.seconds, 0.8 * (until * this.seconds - this.elapsed)) / count;
  }

  progress(what: string): ProgressEvent {
    const share = Math.min(1, this.used);
    return { event: 'progress', what, share, secondsLeft: Math.max(0, this.seconds - this.elapsed) };
  }
}
