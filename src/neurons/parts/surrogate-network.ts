import { sigmoid } from '../../math/special.ts';
import type { NeuronState, Numbers, StateSpec, Update } from '../contract.ts';
import { descend } from './learned-control.ts';

/** Hidden units of H, and the slope of its leaky rectifiers under 0: of the authors' code. */
export const [HIDDEN, LEAK] = [100, 0.3];
/** Share of the past in the moving averages of the losses. */
const DECAY = 0.95;

// The weights of H: of f, of t, bias, to the first output, to the second, one number a hidden unit each; then the second output's bias.
const [OF_F, OF_T, BIAS, TO_FIRST, TO_SECOND, LAST] = [0, 1, 2, 3, 4, 5].map((part) => part * HIDDEN);

const numbers = (count: number, start: (i: number) => number = () => 0): StateSpec => ({ size: () => count, start });

/**
 * State of a surrogate of the loss: a network H with Adam's averages, and moving averages of the losses' mean and of the variance over the
 * draws of a row, by which H sees losses centred and scaled. The outputs start at 0, hence ĝ at leave-one-out.
 */
export const surrogateState: Readonly<Record<'learned' | 'first' | 'second' | 'steps' | 'losses', StateSpec>> = {
  learned: numbers(LAST + 1, (i) => (i < TO_FIRST ? 2 * ((0.618034 * (i + 1)) % 1) - 1 : 0)),
  first: numbers(LAST + 1),
  second: numbers(LAST + 1),
  steps: numbers(1),
  losses: numbers(2),
};

function scaleOf({ losses, steps }: NeuronState): { mean: number; scale: number } {
  const seen = 1 - DECAY ** steps[0];
  return losses[1] > 0 ? { mean: losses[0] / seen, scale: Math.sqrt(losses[1] / seen) } : { mean: 0, scale: 1 };
}

/** Both outputs of H for one draw k and another one l: where each unit of k is flipped, and last at k itself. */
class Points {
  /** t = f_l'·(y − h_l), over the scale. */
  readonly at: Float64Array;
  readonly outputs: readonly [first: Float64Array, second: Float64Array];
  /** f_l, centred and scaled. */
  loss = 0;

  constructor(units: number) {
    this.at = new Float64Array(units + 1);
    this.outputs = [new Float64Array(units + 1), new Float64Array(units + 1)];
  }

  /** @param k where the row of the draw starts in h @param l the other one's */
  place({ units, h, dh }: Update, k: number, l: number, scale: number): void {
    const { at } = this;
    let own = 0;
    for (let i = 0; i < units; i++) own += dh[l + i] * (h[k + i] - h[l + i]);
    for (let i = 0; i < units; i++) at[i] = (own + dh[l + i] * (1 - 2 * h[k + i])) / scale;
    at[units] = own / scale;
  }

  evaluate(learned: Numbers): void {
    const { at, loss } = this;
    const [first, second] = this.outputs;
    first.fill(0);
    second.fill(learned[LAST]);
    for (let m = 0; m < HIDDEN; m++) {
      const constant = learned[OF_F + m] * loss + learned[BIAS + m];
      const [slope, one, two] = [learned[OF_T + m], learned[TO_FIRST + m], learned[TO_SECOND + m]];
      for (let i = 0; i < at.length; i++) {
        const z = constant + slope * at[i];
        const out = z > 0 ? z : LEAK * z;
        first[i] += one * out;
        second[i] += two * out;
      }
    }
  }

  /** Adds to `gradient` that of Σ cotangents·outputs at the weights. */
  pullback(learned: Numbers, [first, second]: readonly [Float64Array, Float64Array], gradient: Float64Array): void {
    const { at, loss } = this;
    for (let m = 0; m < HIDDEN; m++) {
      const constant = learned[OF_F + m] * loss + learned[BIAS + m];
      const [slope, one, two] = [learned[OF_T + m], learned[TO_FIRST + m], learned[TO_SECOND + m]];
      let [ofConstant, ofSlope, ofOne, ofTwo] = [0, 0, 0, 0];
      for (let i = 0; i < at.length; i++) {
        const z = constant + slope * at[i];
        const leak = z > 0 ? 1 : LEAK;
        const inner = leak * (one * first[i] + two * second[i]);
        ofConstant += inner;
        ofSlope += inner * at[i];
        ofOne += leak * z * first[i];
        ofTwo += leak * z * second[i];
      }
      gradient[OF_F + m] += ofConstant * loss;
      gradient[OF_T + m] += ofSlope;
      gradient[BIAS + m] += ofConstant;
      gradient[TO_FIRST + m] += ofOne;
      gradient[TO_SECOND + m] += ofTwo;
    }
    for (const one of second) gradient[LAST] += one;
  }
}

/**
 * ĝ of one row at a time. With P_d = P(unit d of draw k is resampled to its other value) and
 * S_m(k) = Σ_d P_d·(H_m(f_l, t at flip d) − H_m(f_l, t at h_k)), l the draw after k, which is 0 on average over h_k:
 *
 *     ĝ_i = mean over k of (h_ki − p_i)·(f_k − mean over j ≠ k of (f_j + S_1(j)) + S_2(k) − H_2(f_l, t at flip i))
 */
class SurrogateRow {
  private readonly given: Update;
  private readonly draws: number;
  private readonly mean: number;
  private readonly scale: number;
  /** Of every draw: the surrogate that the next one gives it. */
  private readonly points: readonly Points[];
  /** h − p, draw after draw; its absolute value is P. */
  private readonly score: Float64Array;
  private readonly steins: readonly [first: Float64Array, second: Float64Array];
  private readonly cotangents: readonly [first: Float64Array, second: Float64Array];
  readonly gradient: Float64Array;

  constructor(given: Update) {
    const { units, logits, h, state } = given;
    this.given = given;
    this.draws = h.length / logits.length;
    const { mean, scale } = scaleOf(state);
    this.mean = mean;
    this.scale = scale;
    this.points = Array.from({ length: this.draws }, () => new Points(units));
    this.score = new Float64Array(this.draws * units);
    this.steins = [new Float64Array(this.draws), new Float64Array(this.draws)];
    this.cotangents = [new Float64Array(units + 1), new Float64Array(units + 1)];
    this.gradient = new Float64Array(units);
  }

  /** Fills `gradient`. */
  pull(row: number): void {
    const { rows, units, loss } = this.given;
    const { draws, scale, score, gradient } = this;
    const others = draws - 1;
    for (let k = 0; k < draws; k++) this.expand(row, k);
    let losses = 0;
    for (let k = 0; k < draws; k++) losses += loss[k * rows + row] + scale * this.steins[0][k];
    gradient.fill(0);
    for (let k = 0; k < draws; k++) {
      const own = loss[k * rows + row];
      const baseline = (losses - own - scale * this.steins[0][k]) / others;
      const signal = own - baseline + scale * this.steins[1][k];
      for (let i = 0; i < units; i++) {
        gradient[i] += (score[k * units + i] * (signal - scale * this.points[k].outputs[1][i])) / draws;
      }
    }
  }

  /** H at what draw k could be, as the next one sees it; S_1(k) and S_2(k). */
  private expand(row: number, k: number): void {
    const { rows, units, logits, h, loss, state } = this.given;
    const { draws, mean, scale, score, steins } = this;
    const start = (draw: number): number => (draw * rows + row) * units;
    for (let i = 0; i < units; i++) score[k * units + i] = h[start(k) + i] - sigmoid(logits[row * units + i]);
    for (const stein of steins) stein[k] = 0;
    const [points, l] = [this.points[k], (k + 1) % draws];
    points.loss = (loss[l * rows + row] - mean) / scale;
    points.place(this.given, start(k), start(l), scale);
    points.evaluate(state.learned);
    points.outputs.forEach((output, m) => {
      for (let i = 0; i < units; i++) steins[m][k] += Math.abs(score[k * units + i]) * (output[i] - output[units]);
    });
  }

  /** Adds to `weights` the gradient of Σ(ĝ/scale)²/2 of the row that was pulled back last. */
  learn(weights: Float64Array): void {
    const { units, state } = this.given;
    const { draws, scale, score, cotangents, gradient } = this;
    // Σ_i ĝ_i·(h_ki − p_i) over the scale, of each draw.
    const along = Float64Array.from({ length: draws }, (_, k) =>
      gradient.reduce((sum, g, i) => sum + (g * score[k * units + i]) / (scale * draws), 0),
    );
    const all = along.reduce((sum, value) => sum + value, 0);
    for (let k = 0; k < draws; k++) {
      const toFirst = (along[k] - all) / (draws - 1);
      const toSecond = along[k];
      for (const cotangent of cotangents) cotangent[units] = 0;
      for (let i = 0; i < units; i++) {
        const own = score[k * units + i];
        cotangents[0][i] = toFirst * Math.abs(own);
        cotangents[1][i] = toSecond * Math.abs(own);
        for (const cotangent of cotangents) cotangent[units] -= cotangent[i];
        cotangents[1][i] -= (gradient[i] * own) / (scale * draws);
      }
      this.points[k].pullback(state.learned, cotangents, weights);
    }
  }
}

/** Fills `gradient` (rows × units) with ĝ. */
export function pullSurrogate({ gradient, ...update }: Update & { readonly gradient: Numbers }): void {
  const one = new SurrogateRow(update);
  for (let row = 0; row < update.rows; row++) {
    one.pull(row);
    gradient.set(one.gradient, row * update.units);
  }
}

/** Moves H down the gradient of the mean of ĝ², by Adam, and the averages of the losses on. */
export function learnSurrogate(update: Update): void {
  const { rows, loss, state } = update;
  const weights = new Float64Array(state.learned.length);
  const one = new SurrogateRow(update);
  for (let row = 0; row < rows; row++) {
    one.pull(row);
    one.learn(weights);
  }
  descend(state, weights);
  const draws = loss.length / rows;
  let [mean, variance] = [0, 0];
  for (let row = 0; row < rows; row++) {
    let own = 0;
    for (let k = 0; k < draws; k++) own += loss[k * rows + row] / draws;
    for (let k = 0; k < draws; k++) variance += (loss[k * rows + row] - own) ** 2 / (rows * (draws - 1));
    mean += own / rows;
  }
  state.losses[0] = DECAY * state.losses[0] + (1 - DECAY) * mean;
  state.losses[1] = DECAY * state.losses[1] + (1 - DECAY) * variance;
}
