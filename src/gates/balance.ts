/**
 * Balances gates without a loss: a bias for every gate is added to its logit where gates are selected and nowhere else, and
 * moves by ±u after every step, b_j += u·sign(target load − load_j). Nothing of it reaches a gradient. Source: Wang et al.
 * 2024, "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts", Algorithm 1; DeepSeek-V3 report 2024, §2.1.2.
 * There the bias is added to σ(logit) and u is 0.001; here it is added to the logit itself.
 */
export interface BalanceOptions {
  /** u: how far a bias moves in a step, in units of the logit; default 0.01. */
  readonly step?: number;
}

/** The selection biases of one layer of gates. */
export class BiasBalance {
  /** One number a gate, changed in place. */
  readonly bias: Float64Array;
  private readonly target: number | undefined;
  private readonly step: number;

  /** @param target load of every gate (share of the examples); undefined: the mean of the loads */
  constructor(units: number, target: number | undefined, { step = 0.01 }: BalanceOptions) {
    this.bias = new Float64Array(units);
    this.target = target;
    this.step = step;
  }

  /** After a step. @param loads share of the minibatch for which each gate was open */
  apply(loads: Float64Array): void {
    const target = this.target ?? loads.reduce((sum, load) => sum + load, 0) / loads.length;
    for (let j = 0; j < this.bias.length; j++) this.bias[j] += this.step * Math.sign(target - loads[j]);
  }
}
