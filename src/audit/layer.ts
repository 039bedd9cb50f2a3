import type { Neuron, Numbers } from '../neurons/contract.ts';
import type { RandomStream } from '../random/stream.ts';
import { drawsOf, weighDraws } from '../tensor/draws.ts';
import type { Grid } from './grid.ts';
import { otherNumbers } from './other-numbers.ts';
import { otherLogit, type Place } from './places.ts';
import { scratch } from './scratch.ts';

/** The largest Float32 under 1, and a Float32 over 0 that is still normal: nodes of a grid are clamped to them in Float32 arrays. */
const [UNDER_ONE, OVER_ZERO] = [1 - 2 ** -24, 1e-37];

/** The least number that is drawn (`wordToUniform`). */
const LEAST_DRAWN = 2 ** -24;

/** A gradient that is no number. */
export interface Broken {
  readonly text: string;
  /** Are all noise numbers of its row among those that are drawn, and not nearer to 0 or 1? */
  readonly drawable: boolean;
}

/**
 * Uniform numbers that all layers take their noise from, one after another, from a place of their own on: 2²⁰ Float32 numbers, 4 MB. A place is
 * sampled with fewer (SAMPLING, 400,000), so that no number comes twice there, which would make a mean look surer than it is.
 */
const POOL = 2 ** 20;
let pool: Float32Array | undefined;
function uniforms(): Float32Array {
  if (pool) return pool;
  const random = otherNumbers(1, 0, 2);
  pool = Float32Array.from({ length: POOL }, random.uniform);
  return pool;
}

/** Logits in the pool of other examples: 32 kB. They only stand beside the row that is judged, so they may come again. */
const LOGITS = 2 ** 12;
let logitPool: Float64Array | undefined;
/** Logits of examples that are there to be disturbed by. */
function otherLogits(): Float64Array {
  const random = otherNumbers(1, 0, 3);
  logitPool ??= Float64Array.from({ length: LOGITS }, () => otherLogit(random));
  return logitPool;
}

/**
 * A layer whose rows are points of a grid, or samples, in places of the minibatch that are drawn, among other examples with logits of their
 * own; idle units have noise that is drawn, too. What an example's gradient must not depend on differs from point to point. One layer is in use at
 * a time: the next one takes its arrays.
 */
export class Layer {
  /** Rows for points. */
  readonly slots: number;
  range = 0;
  magnitude = 0;
  private readonly neuron: Neuron;
  private readonly place: Place;
  private readonly random: RandomStream;
  private readonly draws: number;
  private readonly logits: Numbers;
  private readonly noise: Numbers;
  private readonly h: Numbers;
  private readonly dh: Numbers;
  private readonly loss: Numbers;
  private readonly gradient: Numbers;
  private readonly weights: Numbers;
  private readonly total: Numbers;
  private readonly point: Float64Array;
  private readonly order: Int32Array;
  /** Of the uniform numbers. */
  private next: number;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;

  constructor(neuron: Neuron, place: Place, random: RandomStream) {
    const { rows, units, arrays, active } = place;
    this.neuron = neuron;
    this.place = place;
    this.random = random;
    this.draws = drawsOf(neuron, units);
    this.slots = rows < 4 ? rows : Math.ceil(0.8 * rows);
    const make = (name: string, length: number): Numbers =>
      scratch<Numbers>(`layer ${name}`, length, arrays === 'Float32' ? Float32Array : Float64Array).fill(0);
    this.logits = make('logits', rows * units);
    this.noise = make('noise', rows * units * neuron.noise);
    this.h = make('h', this.draws * rows * units);
    this.dh = make('dh', this.draws * rows * units);
    this.loss = make('loss', this.draws * rows);
    this.gradient = make('gradient', rows * units);
    this.weights = make('weights', this.draws * rows);
    this.total = make('total', rows);
    this.point = new Float64Array(active.length * neuron.noise);
    this.order = Int32Array.from({ length: rows }, (_, i) => i);
    this.next = random.integer(POOL);
  }

  /**
   * Fires and pulls back so many points, from the first again after the last; `see` gets every one's gradients at the active units.
   * @returns what is no number, in words
   */
  run(
    count: number,
    points: { grid: Grid; first: number } | undefined,
    see: (slot: number, gradients: Float64Array, weight: number, total: number) => void,
  ): Broken | undefined {
    const { place, neuron, noise, random, order, draws } = this;
    const { rows, units, active } = place;
    const [numbers, others] = [uniforms(), otherLogits()];
    let at = this.next;
    for (let i = 0; i < noise.length; i++) noise[i] = numbers[at++ & (POOL - 1)];
    this.next = at;
    random.shuffle(order);
    const weights = new Float64Array(count).fill(1);
    for (let k = 0; k < rows; k++) {
      const from = order[k] * units;
      if (k >= count) for (let i = 0; i < units; i++) this.logits[from + i] = others[at++ & (LOGITS - 1)];
      else this.logits.set(place.logits, from);
      if (k >= count || !points) continue;
      weights[k] = points.grid.place((points.first + k) % points.grid.points, this.point, 0);
      for (let a = 0, next = 0; a < active.length; a++)
        for (let index = 0; index < neuron.noise; index++) {
          const u = this.point[next++];
          noise[(from + active[a]) * neuron.noise + index] =
            place.arrays === 'Float32' ? Math.min(UNDER_ONE, Math.max(OVER_ZERO, u)) : u;
        }
    }
    const { logits, h, dh, loss, gradient, weights: drawWeights, total } = this;
    const firing = { rows, units, logits, noise, h, state: place.state };
    neuron.fire(firing);
    this.lose();
    gradient.fill(Number.NaN);
    neuron.pullback({ ...firing, loss, dh, gradient });
    if (draws === 1) total.set(loss);
    else weighDraws(neuron, { ...firing, loss, weights: drawWeights, total });
    for (let i = 0; i < gradient.length; i++)
      if (!(Math.abs(gradient[i]) < Number.POSITIVE_INFINITY)) return this.brokenAt(i);
    const own = new Float64Array(active.length);
    for (let k = 0; k < count; k++) {
      for (let a = 0; a < active.length; a++) own[a] = gradient[order[k] * units + active[a]];
      see(k, own, weights[k], total[order[k]]);
    }
    this.range = Math.max(0, this.most - this.least);
    return undefined;
  }

  private brokenAt(i: number): Broken {
    const { rows, units } = this.place;
    const row = Math.floor(i / units);
    const numbers = units * this.neuron.noise;
    const own = this.noise.subarray(row * numbers, (row + 1) * numbers);
    return {
      text: `the gradient of unit ${i % units} of ${units} is ${this.gradient[i]} at the logit ${this.logits[i]}, in row ${row} of ${rows}`,
      drawable: own.every((u) => u >= LEAST_DRAWN && u <= 1 - LEAST_DRAWN),
    };
  }

  /** Losses and cotangents of all draws. */
  private lose(): void {
    const { h, dh, loss, place } = this;
    const { units, active, size, offset } = place;
    const { reads } = this.neuron;
    const [loses, pulls] = [reads === 'loss' || reads === 'both', reads !== 'loss'];
    const own = new Float64Array(active.length);
    dh.fill(0);
    for (let row = 0, from = 0; row < loss.length; row++, from += units) {
      for (let a = 0; a < active.length; a++) own[a] = h[from + active[a]];
      const answer = place.loss(own);
      loss[row] = offset + size * answer.loss;
      this.least = Math.min(this.least, loss[row]);
      this.most = Math.max(this.most, loss[row]);
      if (loses) this.magnitude = Math.max(this.magnitude, Math.abs(loss[row]));
      for (let a = 0; a < active.length; a++) {
        dh[from + active[a]] = size * answer.dh[a];
        if (pulls) this.magnitude = Math.max(this.magnitude, Math.abs(dh[from + active[a]]));
      }
    }
  }
}
