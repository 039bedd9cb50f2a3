import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { drawsOf, weighDraws } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type Grid, gridOf } from './grid.ts';

/** A loss as a function of what the units of one example emit: h (units) → the loss, and ∂loss/∂h (units). */
export type Loss = (h: Float64Array) => { readonly loss: number; readonly dh: ArrayLike<number> };

/** What the noise does to a layer of neurons, exactly. Arrays have one number a unit. */
export interface Integral {
  /** E[loss]; of several draws, of what they come to. */
  readonly loss: number;
  /** E[ĝ], the mean of the neuron's pullback. */
  readonly gradient: Float64Array;
  /** Var[ĝ]. */
  readonly variance: Float64Array;
  /** E[h], over the draws too. */
  readonly mean: Float64Array;
  /** P(h ≠ 0), over the draws too. */
  readonly rate: Float64Array;
}

/** Sees single gradients (units; used again for the next), each with its probability. */
export type GradientObserver = (weight: number, gradient: Float64Array) => void;

/** Points that are fired together, as the rows of one minibatch. */
const ROWS = 128;

/**
 * Integrates over the noise of a layer of neurons, for one example: the product of the rules of its units (`unitNodes`), or
 * where units are coupled by noise, one integral within the other (`rowNodes`).
 * @param logits one a unit
 * @param state the neuron's moving averages; default: what every unit starts with
 * @param observe sees the gradient (units) at every point of the grid, and the point's weight
 * @throws RangeError for a logit that is not finite; when the grid has over four million points: expected fewer units
 */
export function integrate(
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  state?: NeuronState,
  observe?: GradientObserver,
): Integral {
  const broken = Array.from(logits).findIndex((logit) => !Number.isFinite(logit));
  if (broken >= 0)
    throw new RangeError(
      `The logit of unit ${broken} is ${logits[broken]}, and "${neuron.name}" has no gradient there. Expected a finite number.`,
    );
  return integrateOver(gridOf(neuron, logits), neuron, logits, loss, state, observe);
}

/** The same over a grid that is given. */
export function integrateOver(
  grid: Grid,
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  state?: NeuronState,
  observe?: GradientObserver,
): Integral {
  const units = logits.length;
  const moments = new Moments(units, observe);
  const minibatch = new Minibatch(neuron, logits, state ?? startingState(neuron, units), Math.min(ROWS, grid.points));
  for (let first = 0; first < grid.points; first += ROWS)
    minibatch.run(grid, first, Math.min(ROWS, grid.points - first), loss, moments);
  return moments.result();
}

/** Weighted sums over the points. */
class Moments {
  private total = 0;
  private loss = 0;
  private readonly gradient: Float64Array;
  private readonly square: Float64Array;
  private readonly mean: Float64Array;
  private readonly open: Float64Array;
  private readonly observe: GradientObserver | undefined;

  constructor(units: number, observe: GradientObserver | undefined) {
    this.observe = observe;
    this.gradient = new Float64Array(units);
    this.square = new Float64Array(units);
    this.mean = new Float64Array(units);
    this.open = new Float64Array(units);
  }

  addGradient(weight: number, gradient: Float64Array): void {
    this.observe?.(weight, gradient);
    for (let unit = 0; unit < gradient.length; unit++) {
      this.gradient[unit] += weight * gradient[unit];
      this.square[unit] += weight * gradient[unit] * gradient[unit];
    }
  }

  addOutput(weight: number, unit: number, h: number): void {
    this.mean[unit] += weight * h;
    if (h !== 0) this.open[unit] += weight;
  }

  addLoss(weight: number, loss: number): void {
    this.total += weight;
    this.loss += weight * loss;
  }

  /** Divides by the total weight, which is 1 up to rounding. */
  result(): Integral {
    const average = (sums: Float64Array): Float64Array => sums.map((sum) => sum / this.total);
    const gradient = average(this.gradient);
    const variance = average(this.square).map((square, unit) => Math.max(0, square - gradient[unit] ** 2));
    return { loss: this.loss / this.total, gradient, variance, mean: average(this.mean), rate: average(this.open) };
  }
}

/** Fires and pulls back many points of the grid at once; its arrays are used again for the next ones. */
class Minibatch {
  private readonly neuron: Neuron;
  private readonly units: number;
  private readonly draws: number;
  private readonly state: NeuronState;
  private readonly logits: Float64Array;
  private readonly noise: Float64Array;
  private readonly weights: Float64Array;
  private readonly h: Float64Array;
  private readonly dh: Float64Array;
  private readonly loss: Float64Array;
  private readonly drawWeights: Float64Array;
  private readonly total: Float64Array;
  private readonly gradient: Float64Array;

  constructor(neuron: Neuron, logits: ArrayLike<number>, state: NeuronState, rows: number) {
    this.neuron = neuron;
    this.units = logits.length;
    this.draws = drawsOf(neuron, this.units);
    this.state = state;
    const size = rows * this.units;
    this.weights = new Float64Array(rows);
    this.total = new Float64Array(rows);
    this.logits = new Float64Array(size);
    for (let i = 0; i < size; i++) this.logits[i] = logits[i % this.units];
    this.noise = new Float64Array(size * neuron.noise);
    this.h = new Float64Array(size * this.draws);
    this.dh = new Float64Array(size * this.draws);
    this.loss = new Float64Array(rows * this.draws);
    this.drawWeights = new Float64Array(rows * this.draws);
    this.gradient = new Float64Array(size);
  }

  /** The points `first` to `first + rows` of the product grid. */
  run(grid: Grid, first: number, rows: number, loss: Loss, moments: Moments): void {
    const { neuron, units, draws, state } = this;
    for (let row = 0; row < rows; row++)
      this.weights[row] = grid.place(first + row, this.noise, row * units * neuron.noise);
    const h = this.h.subarray(0, draws * rows * units);
    const dh = this.dh.subarray(0, draws * rows * units);
    const losses = this.loss.subarray(0, draws * rows);
    const gradient = this.gradient.subarray(0, rows * units);
    const logits = this.logits.subarray(0, rows * units);
    const noise = this.noise.subarray(0, rows * units * neuron.noise);
    const firing = { rows, units, logits, noise, h, state };
    neuron.fire(firing);
    for (let row = 0, at = 0; row < draws * rows; row++, at += units) {
      const answer = loss(h.subarray(at, at + units));
      losses[row] = answer.loss;
      dh.set(answer.dh, at);
    }
    const total = this.total.subarray(0, rows);
    const drawWeights = this.drawWeights.subarray(0, draws * rows);
    weighDraws(neuron, { ...firing, loss: losses, weights: drawWeights, total });
    for (let row = 0; row < rows; row++) moments.addLoss(this.weights[row], total[row]);
    for (let i = 0; i < h.length; i++) {
      const row = Math.floor(i / units);
      moments.addOutput(this.weights[row % rows] * drawWeights[row], i % units, h[i]);
    }
    neuron.pullback({ ...firing, loss: losses, dh, gradient });
    for (let row = 0; row < rows; row++)
      moments.addGradient(this.weights[row], gradient.subarray(row * units, (row + 1) * units));
  }
}
