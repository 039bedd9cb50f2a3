import { sigmoid, sigmoidSlope } from '../math/special.ts';
import type { Neuron, Numbers } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf, weighDraws } from '../tensor/draws.ts';
import { cellsOf } from './found-cells.ts';
import { type Grid, newGrid } from './grid.ts';
import { integrate, integrateOver, type Loss } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { otherLogit, type Place } from './places.ts';
import { derivative } from './quadrature.ts';
import { unitOf } from './unit-of.ts';

/** What is known of E[ĝ] of one active unit at a place. */
export interface UnitMeasure {
  readonly unit: number;
  readonly logit: number;
  /** E[ĝ], times the factor that the neuron declares, and ∂E[loss]/∂logit. */
  readonly found: number;
  readonly truth: number;
  /** E|ĝ|. */
  readonly typical: number;
  /** What rounding, quadrature and the search for cells may make of it; of samples none. */
  readonly tolerance: number;
  /** E[ĝ] with the 2²³ numbers that are drawn in place of all of (0, 1), less the same with all. */
  readonly drawnShift: number;
  /** In standard errors, of samples; Infinity for an exact error that is no rounding, 0 for one that is. */
  readonly z: number;
}

export interface Measure {
  readonly place: Place;
  readonly method: 'integration' | 'sampling';
  readonly samples: number;
  readonly units: readonly UnitMeasure[];
  /** The largest loss or cotangent that it read. */
  readonly magnitude: number;
  /** A number that is none, where there is one. */
  readonly broken?: string;
  /** E[total] of the losses as the neuron weighs them, and E[loss] of the behaviour, over the size of the loss. */
  readonly total?: { readonly found: number; readonly truth: number; readonly tolerance: number };
}

/** What exact integration may be off by, relative to E|ĝ|; with Float32 arrays the noise is rounded too. */
const EXACT = { Float64: 1e-7, Float32: 1e-4 } as const;
/** Two grids agree to that where both are right. */
const CONFIRMED = { Float64: 1e-6, Float32: 2e-4 } as const;
const ROUNDING = 2 ** -52;
/** What sums in Float32 may be off by, relative to the largest loss and cotangent. */
const FLOAT32 = 4e-6;
/** Of the central differences of the true gradient. */
const STEP = 0.005;
/** First word of the path of the streams for what is there to be disturbed by: the word "othr" in ASCII. */
const OTHERS = 0x6f746872;
/** The largest and the least number below 1 and over 0 that Float32 noise has. */
const [UNDER_ONE, OVER_ZERO] = [1 - 2 ** -24, 1e-37];

/** The least number that is drawn (`wordToUniform`). */
const LEAST_DRAWN = 2 ** -24;

const NOTHING = { method: 'integration', samples: 0, units: [], magnitude: 0 } as const;

export interface MeasureOptions {
  /** Numbers of the arrays that are worked on for one sampled place. */
  readonly sampling: number;
  /** ∂E[loss]/∂logits of what E[ĝ] is held against; default: of the behaviour. */
  readonly truthOf?: (neuron: Neuron, place: Place) => Truth;
  /** How often what integration relies on is looked at again, before it refutes; after so many times it is relied on. */
  readonly looks: number;
  /** Is E[total] compared with E[loss]? */
  readonly totals?: boolean;
}

/** The true gradient of the base loss at the active units, and what each number may be off by. */
export interface Truth {
  readonly gradient: Float64Array;
  readonly error: Float64Array;
}

/** Measures E[ĝ] at a place: exactly where two grids agree, with everything random that ought not to matter; else by sampling. */
export function measure(given: Neuron, place: Place, options: MeasureOptions): Measure {
  const { neuron, resolution, countless } = cellsOf(given);
  const hasIdle = place.units > place.active.length;
  const scale = given.claims.scale?.(place.state) ?? 1;
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY))
    return {
      ...NOTHING,
      place,
      broken: `\`claims.scale\` is ${scale}${place.updates > 0 ? ` after ${place.updates} updates` : ''}; expected a number over 0`,
    };
  const { gradient, error } = (options.truthOf ?? truthAt)(neuron, place);
  const truth = { gradient: gradient.map((g) => g * place.size), error: error.map((e) => e * place.size) };
  if (!place.exact || countless || (hasIdle && sharing.has(given))) return sampled(given, place, scale, truth, options);
  const exact = integrated(neuron, place, resolution, scale, truth, options);
  if (!exact) return sampled(given, place, scale, truth, options);
  const refuted = exact.units.some(({ z }) => z > 0);
  // Where a noise number's cells hang on others, a search may miss a band of them: there sampling decides.
  if (refuted && resolution > 0 && neuron.noise > 1) return sampled(given, place, scale, truth, options);
  // Before integration refutes, what it relies on is looked at again.
  const looks = looked.get(given) ?? 0;
  if (!refuted || looks >= options.looks) return exact;
  looked.set(given, looks + 1);
  if (hasIdle && !isIdle(neuron, place)) {
    sharing.add(given);
    return sampled(given, place, scale, truth, options);
  }
  if (resolution > 0) {
    const drawn = sampled(given, place, scale, truth, options);
    const against = exact.units.map(({ found }) => found);
    const same = sampled(given, place, scale, { gradient: Float64Array.from(against), error: truth.error }, options);
    if (same.units.some(({ z }) => z > MISSED)) {
      looked.set(given, looks);
      return drawn;
    }
  }
  return exact;
}

/** Neurons whose gradient at a unit depends on the noise of others: a coordinate that is drawn, a direction. */
const sharing = new WeakSet<Neuron>();
/** How often integration was looked at again before it refuted. */
const looked = new WeakMap<Neuron, number>();
/** Numbers of minibatches that idle noise is drawn anew for, and rows. */
const [IDLE_NUMBERS, IDLE_ROWS] = [1_200_000, 20_000];
/** Standard errors that a sampled mean has to be from an integrated one for the integration to have missed something. */
const MISSED = 6;

/** Where very many rows are drawn, not a few at a time. */
const withRows = (place: Place): Place => ({ ...place, rows: Math.max(64, place.rows) });

/** Does the gradient at the active units stay the same while the noise of all others, and the other rows, change? */
function isIdle(neuron: Neuron, place: Place): boolean {
  const random = randomStream(place.seed, OTHERS, place.number, 2);
  const grid = gridAt(neuron, place);
  const many = withRows(place);
  const layer = new Layer(neuron, many, random);
  const seen = new Map<number, Float64Array>();
  const largest = new Float64Array(place.active.length);
  let same = true;
  const runs = Math.min(IDLE_ROWS / layer.slots, IDLE_NUMBERS / (many.rows * many.units));
  for (let run = 0; run < Math.max(8, runs) && same; run++) {
    // Few points fill the rows again and again: of very many units one may be told once in very many rows.
    const first = random.integer(grid.points);
    layer.run(layer.slots, { grid, first }, (slot, gradients) => {
      gradients.forEach((g, i) => {
        largest[i] = Math.max(largest[i], Math.abs(g));
      });
      const point = (first + slot) % grid.points;
      const before = seen.get(point);
      if (!before) seen.set(point, gradients.slice());
      else if (gradients.some((g, i) => Math.abs(g - before[i]) > 1e-6 * largest[i])) same = false;
    });
  }
  return same;
}

function integrated(
  neuron: Neuron,
  place: Place,
  resolution: number,
  scale: number,
  truth: Truth,
  options: MeasureOptions,
): Measure | undefined {
  const random = randomStream(place.seed, OTHERS, place.number);
  const grid = gridAt(neuron, place);
  const first = expectationAt(neuron, place, grid, random);
  const second = first.broken ? first : expectationAt(neuron, place, gridAt(neuron, place, random), random);
  // Nearer to the ends of (0, 1) than any number that is drawn, a gradient may be infinite.
  if (second.broken) return second.broken.drawable ? { ...NOTHING, place, broken: second.broken.text } : undefined;
  const close = (i: number): boolean =>
    Math.abs(first.mean[i] - second.mean[i]) <=
    CONFIRMED[place.arrays] * first.typical[i] + 64 * ROUNDING * first.largest[i];
  if (!place.active.every((_, i) => close(i))) return undefined;
  // Of several noise numbers each may hide as much, and as often as there are cells of those before it.
  const missed = resolution * (neuron.noise > 1 ? 4 * neuron.noise : 1);
  // Float32 sums within a pullback have the rounding of what they are sums of.
  const narrow = place.arrays === 'Float32' ? scale * FLOAT32 * first.magnitude : 0;
  const bits = unitOf(neuron) === 'bits';
  const units = place.active.map((unit, i): UnitMeasure => {
    const apart = Math.abs(first.mean[i] - second.mean[i]);
    const tolerance =
      scale * (EXACT[place.arrays] * first.typical[i] + 64 * ROUNDING * first.largest[i] + 4 * apart) +
      // Sums over all states have the rounding of losses, and of probabilities that are nearly 1.
      scale * 8 * ROUNDING * first.magnitude +
      truth.error[i] +
      narrow * (bits ? sigmoidSlope(place.logits[unit]) : 1) +
      missed * (place.size + first.range);
    const found = scale * first.mean[i];
    const drawnShift = scale * (first.drawn[i] - first.mean[i]);
    const wrong = ![found, found + drawnShift].some((mean) => Math.abs(mean - truth.gradient[i]) <= tolerance);
    const facts = {
      unit,
      logit: place.logits[unit],
      found,
      truth: truth.gradient[i],
      typical: scale * first.typical[i],
    };
    return { ...facts, tolerance, drawnShift, z: wrong ? Number.POSITIVE_INFINITY : 0 };
  });
  const total = options.totals ? totalAt(neuron, place, missed, grid.points, [first, second]) : undefined;
  return { place, method: 'integration', samples: 0, units, magnitude: first.magnitude, ...(total && { total }) };
}

/**
 * E[total] against E[loss] of the behaviour, both over the size of the loss; undefined where another grid gives another total. The noise of
 * units that the loss does not depend on may be in the weights, and is drawn once a point: what so many draws do not show may be missing.
 */
function totalAt(
  neuron: Neuron,
  place: Place,
  missed: number,
  points: number,
  [{ total, range }, other]: readonly [Expectation, Expectation],
): Measure['total'] {
  const logits = place.active.map((unit) => place.logits[unit]);
  const truth = integrate(leanUnit(neuron), logits, place.loss).loss;
  const size = 1 + range / place.size + Math.abs(place.offset) / place.size;
  const unseen = neuron.weigh && place.units > place.active.length ? UNSEEN / points : 0;
  const tolerance = ((place.arrays === 'Float32' ? 1e-4 : 1e-8) + unseen + missed) * size;
  if (Math.abs(total - other.total) > (place.size * tolerance) / 4) return undefined;
  return { found: (total - place.offset) / place.size, truth, tolerance };
}

function sampled(neuron: Neuron, place: Place, scale: number, truth: Truth, { sampling }: MeasureOptions): Measure {
  const { units } = place;
  const perRow = units * (drawsOf(neuron, units) + 1 + neuron.noise);
  const samples = Math.max(200, Math.min(40_000, Math.floor(sampling / perRow)));
  const random = randomStream(place.seed, OTHERS, place.number, 1);
  const moments = place.active.map(() => ({ values: new Float64Array(samples), at: 0 }));
  const unseen = unseenShare(neuron, place, samples);
  const layer = new Layer(neuron, withRows(place), random);
  while (moments[0].at < samples) {
    const broken = layer.run(Math.min(layer.slots, samples - moments[0].at), undefined, (_slot, gradients) => {
      gradients.forEach((g, i) => {
        moments[i].values[moments[i].at++] = g;
      });
    });
    if (broken !== undefined) return { ...NOTHING, place, method: 'sampling', broken: broken.text };
  }
  return {
    place,
    method: 'sampling',
    samples,
    magnitude: layer.magnitude,
    units: place.active.map((unit, i): UnitMeasure => {
      const values = moments[i].values.subarray(0, moments[i].at);
      const error = truth.error[i] / scale + unseen * layer.magnitude;
      const { mean, z, typical } = scoreOf(values, truth.gradient[i] / scale, error);
      const facts = { unit, logit: place.logits[unit], truth: truth.gradient[i], typical: scale * typical };
      return { ...facts, found: scale * mean, tolerance: truth.error[i], drawnShift: 0, z };
    }),
  };
}

/** An event that so many draws do not show may have that probability over their number: e^−20 is under the false alarm. */
const UNSEEN = 20;
/** A state that is seen so often has its share in the standard error. */
const OFTEN = 50;
/** Logits of units of their own kind whose unlikely outputs are seen often. */
const LIKELY = 2;

/** What states that are not seen often enough may weigh, as a share of the largest loss. */
function unseenShare(neuron: Neuron, { active, logits }: Place, samples: number): number {
  const own = active.map((unit) => logits[unit]);
  // In a group, or of units in an order, the least likely state hangs on how far logits are apart.
  const apart = neuron.jointNoise ? [Math.max(...own) - Math.min(...own)] : own.map(Math.abs);
  const rare = apart.map((distance) => Math.exp(-distance)).filter((q) => q * samples < OFTEN);
  if (unitOf(neuron) === 'bits' || neuron.group !== undefined)
    return Math.min(UNSEEN / samples, 2 * rare.reduce((sum, q) => sum + q, 0));
  return apart.every((distance) => distance < LIKELY) ? 0 : UNSEEN / samples;
}

/**
 * How many standard errors the mean of samples is from a number. With few effective samples (Σd²)²/Σd⁴ a normal law is not to be
 * relied on, and z is bounded by their root: what a roulette of 1 in 100,000 makes in some thousands of draws refutes nothing.
 */
function scoreOf(values: Float64Array, truth: number, error: number): { mean: number; z: number; typical: number } {
  let [sum, size] = [0, 0];
  for (const value of values) {
    sum += value;
    size += Math.abs(value);
  }
  const count = values.length;
  const mean = sum / count;
  let [square, fourth] = [0, 0];
  for (const value of values) {
    const d = (value - mean) ** 2;
    square += d;
    fourth += d * d;
  }
  const typical = size / count;
  const off = Math.max(0, Math.abs(mean - truth) - error - 1e-6 * typical);
  if (Number.isNaN(mean)) return { mean, z: Number.POSITIVE_INFINITY, typical };
  if (off === 0 || fourth === 0) return { mean, z: 0, typical };
  const z = off / Math.sqrt(square / count / count);
  return { mean, z: 1 / (1 / z + 1 / Math.sqrt((square * square) / fourth)), typical };
}

/** Sums over the points of a grid; arrays have one number an active unit. */
interface Expectation {
  readonly mean: Float64Array;
  readonly drawn: Float64Array;
  readonly typical: Float64Array;
  readonly largest: Float64Array;
  /** Largest loss less the least one, of what was fired. */
  readonly range: number;
  /** The largest loss or cotangent, whichever the neuron reads. */
  readonly magnitude: number;
  /** E[total]. */
  readonly total: number;
  readonly broken?: Broken;
}

/** A gradient that is no number. */
interface Broken {
  readonly text: string;
  /** Are all noise numbers of its row among those that are drawn, and not nearer to 0 or 1? */
  readonly drawable: boolean;
}

function gridAt(neuron: Neuron, { active, logits, units }: Place, random?: RandomStream): Grid {
  const step = neuron.group ?? 1;
  const places = Array.from({ length: Math.ceil(active.length / step) }, (_, i) => ({ unit: active[i * step], units }));
  return newGrid(
    neuron,
    active.map((unit) => logits[unit]),
    { places, ...(random && { finer: { random: () => random.uniform() } }) },
  );
}

function expectationAt(neuron: Neuron, place: Place, grid: Grid, random: RandomStream): Expectation {
  const [mean, drawn, typical, largest] = Array.from({ length: 4 }, () => new Float64Array(place.active.length));
  const layer = new Layer(neuron, place, random);
  let [weights, drawnWeights, total] = [0, 0, 0];
  for (let first = 0; first < grid.points; first += layer.slots) {
    const count = Math.min(layer.slots, grid.points - first);
    const broken = layer.run(count, { grid, first }, (slot, gradients, weight, rowTotal) => {
      const other = grid.drawn(first + slot);
      weights += weight;
      drawnWeights += other;
      total += weight * rowTotal;
      gradients.forEach((g, i) => {
        mean[i] += weight * g;
        drawn[i] += other * g;
        typical[i] += weight * Math.abs(g);
        largest[i] = Math.max(largest[i], Math.abs(g));
      });
    });
    if (broken !== undefined) return { mean, drawn, typical, largest, range: 0, magnitude: 0, total, broken };
  }
  const over = (sums: Float64Array, by: number): Float64Array => sums.map((sum) => sum / by);
  return {
    mean: over(mean, weights),
    drawn: over(drawn, drawnWeights),
    typical: over(typical, weights),
    largest,
    range: layer.range,
    magnitude: layer.magnitude,
    total: total / weights,
  };
}

/** Uniform numbers that are used again and again, from a place that moves. */
const POOL = 2 ** 15;
let pool: Float64Array | undefined;
function uniforms(): Float64Array {
  if (pool) return pool;
  const random = randomStream(1, OTHERS, 0, 2);
  pool = Float64Array.from({ length: POOL }, () => random.uniform());
  return pool;
}

const LOGITS = 2 ** 12;
let logitPool: Float64Array | undefined;
/** Logits of examples that are there to be disturbed by. */
function otherLogits(): Float64Array {
  const random = randomStream(1, OTHERS, 0, 3);
  logitPool ??= Float64Array.from({ length: LOGITS }, () => otherLogit(random));
  return logitPool;
}

/**
 * A layer whose rows are points of a grid, or samples, in places of the minibatch that are drawn, among other examples with logits of their
 * own; idle units have noise that is drawn, too. What an example's gradient must not depend on differs from point to point.
 */
class Layer {
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
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;

  constructor(neuron: Neuron, place: Place, random: RandomStream) {
    const { rows, units, arrays, active } = place;
    this.neuron = neuron;
    this.place = place;
    this.random = random;
    this.draws = drawsOf(neuron, units);
    this.slots = rows < 4 ? rows : Math.ceil(0.8 * rows);
    const make = (length: number): Numbers =>
      arrays === 'Float32' ? new Float32Array(length) : new Float64Array(length);
    this.logits = make(rows * units);
    this.noise = make(rows * units * neuron.noise);
    this.h = make(this.draws * rows * units);
    this.dh = make(this.draws * rows * units);
    this.loss = make(this.draws * rows);
    this.gradient = make(rows * units);
    this.weights = make(this.draws * rows);
    this.total = make(rows);
    this.point = new Float64Array(active.length * neuron.noise);
    this.order = Int32Array.from({ length: rows }, (_, i) => i);
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
    let at = random.integer(POOL);
    for (let i = 0; i < noise.length; i++) noise[i] = numbers[at++ & (POOL - 1)];
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

/** The gradient of E[loss] of the behaviour, the offset and size of the loss left out. */
export function truthAt(neuron: Neuron, place: Place): Truth {
  const logits = Float64Array.from(place.active, (unit) => place.logits[unit]);
  // The loss as its array holds it: what a neuron reads is that.
  const { size, offset, loss } = place;
  const rounded =
    place.arrays === 'Float64' || neuron.reads === 'cotangent' || neuron.reads === 'cotangent-when-open'
      ? loss
      : (h: Float64Array) => {
          const { loss: value, dh } = loss(h);
          return { loss: (Math.fround(offset + size * value) - offset) / size, dh };
        };
  if (unitOf(neuron) === 'bits') return overStates(logits, rounded);
  const unit = leanUnit(neuron);
  const expected = (at: Float64Array): number => integrate(unit, at, loss).loss;
  const { gradient, error } = differences(expected, logits);
  if (unit.noise === 0) return { gradient, error };
  // What the grid is off by, another grid shows; its difference quotient is off by as much over the step.
  const random = randomStream(place.seed, OTHERS, place.number, 4);
  const finer = newGrid(unit, logits, { finer: { random: () => random.uniform() } });
  const apart = Math.abs(expected(logits) - integrateOver(finer, unit, logits, loss).loss);
  return { gradient, error: error.map((one) => one + (2 * apart) / STEP) };
}

/** ∂/∂a_i Σ_h P(h)·loss(h) = p(1 − p)·(E[loss | h_i = 1] − E[loss | h_i = 0]) of bits, p = σ(a_i). */
function overStates(logits: Float64Array, loss: Loss): Truth {
  const units = logits.length;
  const gradient = new Float64Array(units);
  const error = new Float64Array(units);
  const h = new Float64Array(units);
  for (let state = 0; state < 2 ** units; state++) {
    for (let unit = 0; unit < units; unit++) h[unit] = (state >> unit) & 1;
    const value = loss(h).loss;
    for (let unit = 0; unit < units; unit++) {
      let others = sigmoidSlope(logits[unit]);
      for (let k = 0; k < units; k++) if (k !== unit) others *= sigmoid(h[k] ? logits[k] : -logits[k]);
      gradient[unit] += (h[unit] ? 1 : -1) * others * value;
      error[unit] += 16 * ROUNDING * others * Math.abs(value);
    }
  }
  return { gradient, error };
}

/** Central differences with two steps: what they differ by is their error, and the rounding of expectations, whose weights are sums too. */
export function differences(expected: (logits: Float64Array) => number, logits: Float64Array): Truth {
  const error = new Float64Array(logits.length);
  const gradient = logits.map((logit, i) => {
    const known = new Map<number, number>();
    // The two steps have places in common.
    const along = (x: number): number => {
      const value = known.get(x) ?? expected(logits.with(i, x));
      known.set(x, value);
      return value;
    };
    const [wide, narrow] = [derivative(along, logit, STEP), derivative(along, logit, STEP / 2)];
    const size = Math.max(Math.abs(along(logit + STEP)), 1e-3);
    error[i] = 2 * Math.abs(wide - narrow) + (64 * ROUNDING * size) / STEP;
    return wide;
  });
  return { gradient, error };
}
