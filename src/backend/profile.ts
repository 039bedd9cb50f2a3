/** Which part of a step something belongs to. */
export type StepPart = 'forward' | 'backward' | 'update' | 'rest';

/** What took time, as the engine was told. */
export interface ProfileRow {
  readonly part: StepPart;
  /** The layer, or the parameter that is updated. */
  readonly layer: string;
  /** The operation, or the optimizer. */
  readonly name: string;
  readonly calls: number;
  /** All calls, without what was entered within. */
  readonly milliseconds: number;
  /** Of these, in kernels: the rest is JavaScript on the calling thread. */
  readonly kernels: number;
}

interface Sums {
  readonly part: StepPart;
  readonly layer: string;
  readonly name: string;
  calls: number;
  milliseconds: number;
  kernels: number;
}

/** Adds up where time goes. The tape, the training step and gated layers say what they do; the engine adds its kernels. */
export class Profile {
  private readonly sums = new Map<string, Sums>();
  private readonly stack: Sums[] = [];
  /** Milliseconds since some time. */
  readonly clock: () => number;
  private last = 0;

  constructor(clock: () => number) {
    this.clock = clock;
  }

  /** From now until `leave`, time is that of this. */
  enter(part: StepPart, layer: string, name: string): void {
    const now = this.clock();
    this.charge(now);
    const key = `${part}\n${layer}\n${name}`;
    let sums = this.sums.get(key);
    if (!sums) this.sums.set(key, (sums = { part, layer, name, calls: 0, milliseconds: 0, kernels: 0 }));
    sums.calls++;
    this.stack.push(sums);
    this.last = this.clock();
  }

  leave(): void {
    this.charge(this.clock());
    this.stack.pop();
    this.last = this.clock();
  }

  /** A kernel took so long. */
  kernel(milliseconds: number): void {
    const top = this.stack.at(-1);
    if (top) top.kernels += milliseconds;
  }

  /** In the order in which they were first entered. */
  get rows(): ProfileRow[] {
    return [...this.sums.values()].map((sums) => ({ ...sums }));
  }

  private charge(now: number): void {
    const top = this.stack.at(-1);
    if (top) top.milliseconds += now - this.last;
  }
}
