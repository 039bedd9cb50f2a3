import { sigmoidSlope } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type Cells, cellsOf } from './found-cells.ts';
import { type Expectation, expectationAt, gridAt } from './grid-expectation.ts';
import { integrate } from './integrate.ts';
import { Layer } from './layer.ts';
import { leanUnit } from './less-noise.ts';
import { otherNumbers } from './other-numbers.ts';
import type { Measure, UnitMeasure } from './place-measure.ts';
import type { Place } from './places.ts';
import { type Against, sampled, UNSEEN, withRows } from './sampled.ts';
import { type Truth, truthAt } from './truth.ts';
import { unitOf } from './unit-of.ts';

/** What exact integration may be off by, relative to E|ĝ|; with Float32 arrays the noise is rounded too, which steep rules (a temperature of 0.001) make 1.7e-4 of. */
const EXACT = { Float64: 1e-7, Float32: 2e-4 } as const;
/** Two grids agree to that where both are right. */
const CONFIRMED = { Float64: 1e-6, Float32: 2e-4 } as const;
/** Spacing of Float64 numbers at 1. */
const ROUNDING = 2 ** -52;
/** What sums in Float32 may be off by, relative to the largest loss and cotangent. */
const FLOAT32 = 4e-6;

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
  // A grid that lacks cells integrates no true gradient either; of bits it is known by their declared rate.
  if (countless && unitOf(given) === 'own') return { ...NOTHING, method: 'sampling', place };
  const { gradient, error } = (options.truthOf ?? truthAt)(countless ? given : neuron, place);
  const truth = { gradient: gradient.map((g) => g * place.size), error: error.map((e) => e * place.size) };
  const draw = (held = truth): Measure => sampled(given, place, { scale, truth: held }, options.sampling);
  const shares = hasIdle && sharing.has(given);
  if (shares) return sampled(given, withLikelyIdle(place), { scale, truth }, options.sampling);
  if (!place.exact || countless) return draw();
  const exact = integrated({ neuron, resolution }, place, { scale, truth }, options.totals);
  if (!exact) return draw();
  const refuted = exact.units.some(({ z }) => z > 0);
  // Where a noise number's cells hang on others, a search may miss a band of them: there sampling decides.
  if (refuted && resolution > 0 && neuron.noise > 1) return draw();
  // Before integration refutes, what it relies on is looked at again.
  const looks = looked.get(given) ?? 0;
  if (!refuted || looks >= options.looks) return exact;
  looked.set(given, looks + 1);
  if (hasIdle && !(isIdle(neuron, place) && isIdle(neuron, narrowed(neuron, place)))) {
    sharing.add(given);
    return sampled(given, withLikelyIdle(place), { scale, truth }, options.sampling);
  }
  if (resolution > 0) {
    const found = Float64Array.from(exact.units, (unit) => unit.found);
    if (draw({ gradient: found, error: truth.error }).units.some(({ z }) => z > MISSED)) {
      looked.set(given, looks);
      return draw();
    }
  }
  return exact;
}

/** Neurons whose gradient at a unit depends on the noise of others: a coordinate that is drawn, a direction. */
const sharing = new WeakSet<Neuron>();
/** Logits of idle units whose both states come often: the less likely one 1 in 12 times. */
const OFTEN = 2.4;

/** Where a gradient hangs on the noise of idle units, a state of theirs that never comes among the draws would be missing in its mean. */
const withLikelyIdle = (place: Place): Place => ({
  ...place,
  logits: place.logits.map((a, i) => (place.active.includes(i) ? a : Math.max(-OFTEN, Math.min(OFTEN, a)))),
});

/** How often integration was looked at again before it refuted. */
const looked = new WeakMap<Neuron, number>();
/** Numbers of minibatches that idle noise is drawn anew for, and rows. */
const [IDLE_NUMBERS, IDLE_ROWS] = [1_200_000, 20_000];
/** Standard errors that a sampled mean has to be from an integrated one for the integration to have missed something. */
const MISSED = 6;

/** Units of a layer that is narrow enough for every idle unit to be the one that is drawn, in so many rows. */
const NARROW = 32;

/** The place with few idle units: a rule that draws one unit of 4,096 hardly ever draws the active one. */
function narrowed(neuron: Neuron, place: Place): Place {
  const { active, units, logits } = place;
  if (units <= NARROW || neuron.group !== undefined) return place;
  const others = Array.from({ length: units }, (_, i) => i).filter((i) => !active.includes(i));
  const kept = [...active, ...others.slice(0, NARROW - active.length)].sort((a, b) => a - b);
  return {
    ...place,
    units: kept.length,
    active: active.map((unit) => kept.indexOf(unit)),
    logits: Float64Array.from(kept, (unit) => logits[unit]),
    state: startingState(neuron, kept.length),
    updates: 0,
  };
}

/** Does the gradient at the active units stay the same while the noise of all others, and the other rows, change? */
function isIdle(neuron: Neuron, place: Place): boolean {
  const random = otherNumbers(place.seed, place.number, 2);
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

/** By two grids; undefined where they do not agree. */
function integrated(
  { neuron, resolution }: Cells,
  place: Place,
  { scale, truth }: Against,
  totals?: boolean,
): Measure | undefined {
  const random = otherNumbers(place.seed, place.number);
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
      // What is missed may be as large as the largest loss or cotangent: the offset of a loss is in it.
      missed * Math.max(place.size + first.range, scale * first.magnitude);
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
  const total = totals ? totalAt(neuron, place, missed, grid.points, [first, second]) : undefined;
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
