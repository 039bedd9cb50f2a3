/** Raises the bias of units that fire too seldom. Source: Bengio, Léonard, Courville 2013, §2 (proposed there, not tested). */
export interface NudgeOptions {
  /** A unit is nudged while the moving average of its firing rate is under this share of the target rate; default 0.1. */
  readonly below?: number;
  /** How much the bias rises in a step; default 0.02. */
  readonly step?: number;
  /** Decay of the moving average; default 0.99. */
  readonly decay?: number;
}

/** Keeps the moving averages of one layer of gates and nudges its biases. */
export class BiasNudge {
  /** Moving average of every unit's firing rate. */
  readonly rates: Float64Array;
  private readonly target: number;
  private readonly options: Required<NudgeOptions>;

  constructor(units: number, target: number, options: NudgeOptions) {
    this.target = target;
    this.options = { below: 0.1, step: 0.02, decay: 0.99, ...options };
    this.rates = new Float64Array(units).fill(target);
  }

  /** After a step. @param rates share of the minibatch for which each unit fired @param bias changed in place */
  apply(rates: ArrayLike<number>, bias: Float32Array | Float64Array): void {
    const { below, step, decay } = this.options;
    for (let j = 0; j < this.rates.length; j++) {
      this.rates[j] = decay * this.rates[j] + (1 - decay) * rates[j];
      if (this.rates[j] < below * this.target) bias[j] += step;
    }
  }
}
