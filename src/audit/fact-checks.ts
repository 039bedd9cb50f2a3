/** Checks of what a neuron declares beside its gradient: opening, weigh, settle, identity, learningRateScale. */
import type { Neuron, Numbers, Opening, Weighing } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { zOf } from './bias-claim.ts';
import { drawnPass } from './drawn-pass.ts';
import { cellsOf, DENSE_SCAN, findCells } from './found-cells.ts';
import { estimatePoints, newGrid } from './grid.ts';
import { type Integral, integrateOver } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { short } from './places.ts';
import { derivative } from './quadrature.ts';
import { sampleNeuron } from './sample-neuron.ts';
import { FALSE_ALARM } from './verdict.ts';

/** Logits at which an opening is integrated: for units by themselves, and for coupled units, whose grids have many times the points. */
const [LOGITS, FEW_LOGITS] = [24, 8];
/** Largest size of these logits: beyond it P(h ≠ 0) is within 1e-7 of 0 or 1. */
const WIDEST = 16;
/** Most points of a grid that an opening is integrated over; larger ones are sampled. */
const POINTS = 3000;
/** Draws of h where the grid has over POINTS: the standard error of a rate is at most 0.0035. */
const DRAWS = 20_000;
/** What P(h ≠ 0) and the mean of `opening.probability` may be apart, integrated over the same grid. */
const KNOWN = { absolute: 1e-8, relative: 1e-6 };
/** Units of a coupled row whose opening is integrated: the fewest that are coupled. */
const COUPLED = 2;

const nothing = (h: Float64Array) => ({ loss: 0, dh: new Float64Array(h.length) });

/** Is `opening` P(h ≠ 0) over all noise, and its pullback the derivative? */
export function opensWithProbability(neuron: Neuron): string | undefined {
  const { opening } = neuron;
  if (!opening) return undefined;
  return probabilityMisfit(neuron, opening) ?? pullbackMisfit(neuron, opening) ?? layerMisfit(neuron, opening);
}

function probabilityMisfit(neuron: Neuron, opening: Opening): string | undefined {
  const { neuron: known, countless, resolution } = cellsOf(neuron);
  const unit = leanUnit(known);
  const units = neuron.jointNoise ? COUPLED : 1;
  // One grid serves both where the gradient of a unit is its declared probability.
  const both: Neuron = { ...unit, pullback: ({ gradient, ...firing }) => opening.probability(firing, gradient) };
  const small = !countless && estimatePoints(both, new Float64Array(units).fill(0.7), POINTS) <= POINTS;
  // Cells of a state that is rarer than what a scan resolves are missed, or others that a dense scan shows: sampling decides.
  const misses = ({ rate, logits }: Opened, wrong: number): boolean =>
    wrong >= 0 && (Math.min(rate[wrong], 1 - rate[wrong]) < resolution || hidesCells(leanUnit(neuron), logits[wrong]));
  const random = randomStream(1, 0x6f70656e);
  for (let i = 0; i < (neuron.jointNoise ? FEW_LOGITS : LOGITS); i++) {
    const logits = Float64Array.from(
      { length: units },
      () => (neuron.jointNoise ? 2 : WIDEST) * (2 * random.uniform() - 1),
    );
    const misfit = ({ rate, declared, tolerance }: Opened): number =>
      rate.findIndex((p, k) => !(Math.abs(p - declared[k]) <= tolerance[k]));
    const exact = small ? exactOpening(both, logits, random) : undefined;
    const isMissed = exact !== undefined && resolution > 0 && misses(exact, misfit(exact));
    const known = exact && !isMissed ? exact : sampledOpening(both, logits, i);
    const wrong = misfit(known);
    if (wrong >= 0)
      return `\`opening.probability\` is ${long(known.declared[wrong])} on average at the logit ${short(logits[wrong])}, and P(h ≠ 0) is ${long(known.rate[wrong])} ${known.how}; expected the same`;
  }
  return undefined;
}

const long = (value: number): string => Number(value.toPrecision(7)).toString();

/** P(h ≠ 0), and the mean of what is declared; one number a unit. */
interface Opened {
  readonly logits: Float64Array;
  readonly rate: Float64Array;
  readonly declared: Float64Array;
  readonly tolerance: Float64Array;
  readonly how: string;
}

/** Does a dense scan of a unit's noise show jumps that the usual one misses? */
function hidesCells(unit: Neuron, logit: number): boolean {
  return Array.from({ length: unit.noise }, (_, index) => new Array<number>(index).fill(0.37)).some(
    (before) => findCells(unit, logit, before, DENSE_SCAN).length > findCells(unit, logit, before).length,
  );
}

/** By integration, where two grids agree on the difference. @param both its gradient is the declared probability */
function exactOpening(both: Neuron, logits: Float64Array, random: RandomStream): Opened | undefined {
  const [first, second] = [undefined, { random: random.uniform }].map((finer) =>
    integrateOver(newGrid(both, logits, finer && { finer }), both, logits, nothing),
  );
  const tolerance = first.rate.map((p) => KNOWN.absolute + KNOWN.relative * p);
  const off = (one: Integral, k: number): number => one.rate[k] - one.gradient[k];
  if (tolerance.some((most, k) => Math.abs(off(first, k) - off(second, k)) > most)) return undefined;
  return { logits, rate: first.rate, declared: first.gradient, tolerance, how: 'by exact integration' };
}

/** By sampling. */
function sampledOpening(both: Neuron, logits: Float64Array, seed: number): Opened {
  const { rate, gradient, variance } = sampleNeuron(both, logits, nothing, { samples: DRAWS, seed });
  const z = zOf(2 * LOGITS);
  const error = (square: number): number => (z * Math.sqrt(square) + (z * z) / Math.sqrt(DRAWS)) / Math.sqrt(DRAWS);
  const tolerance = rate.map((p, k) => error(p * (1 - p)) + error(variance[k]));
  return { logits, rate, declared: gradient, tolerance, how: `in ${DRAWS} draws (false alarms ${FALSE_ALARM})` };
}

function pullbackMisfit(neuron: Neuron, opening: Opening): string | undefined {
  const [rows, units] = [6, Math.min(7, neuron.mostUnits ?? 7)];
  const random = randomStream(1, 0x6f70656e, 1);
  const logits = Float64Array.from({ length: rows * units }, () => 8 * (2 * random.uniform() - 1));
  const noise = Float64Array.from({ length: rows * units * neuron.noise }, random.uniform);
  const dp = Float64Array.from(logits, random.normal);
  const firing = { rows, units, logits, noise };
  const at = (moved: Float64Array): Float64Array => {
    const p = new Float64Array(moved.length);
    opening.probability({ ...firing, logits: moved }, p);
    return p;
  };
  const gradient = new Float64Array(logits.length).fill(Number.NaN);
  opening.pullback(firing, dp, gradient);
  for (let i = 0; i < logits.length; i++) {
    const along = (x: number): number => at(logits.with(i, x)).reduce((sum, p, k) => sum + dp[k] * p, 0);
    const [wide, narrow] = [derivative(along, logits[i], 1e-3), derivative(along, logits[i], 3e-4)];
    // Where the order of units changes, there is no derivative.
    if (Math.abs(wide - narrow) > 1e-6 * (1 + Math.abs(wide))) continue;
    if (!(Math.abs(gradient[i] - narrow) <= 1e-5 * (1 + Math.abs(narrow))))
      return `\`opening.pullback\` gives ${short(gradient[i])} at the logit ${short(logits[i])}, and the derivative of \`opening.probability\` is ${short(narrow)}`;
  }
  const extreme = logits.map((_, i) => [1e4, -1e4, 50, -50, 0, 0, 104][i % units]);
  opening.pullback({ ...firing, logits: extreme }, dp, gradient);
  return [...gradient, ...at(extreme)].every(Number.isFinite)
    ? undefined
    : '`opening` is not finite at logits among ±50, ±10,000, 104 and 0';
}

/** Rows and units of layers whose units are compared with units alone: one that is no power of two, and a wide one. */
const OPENED_LAYERS = [
  [30, 70],
  [1, 2048],
] as const;

/** Does a layer of units by themselves give what each of its units gives alone? */
function layerMisfit(neuron: Neuron, opening: Opening): string | undefined {
  if (neuron.jointNoise) return undefined;
  const random = randomStream(1, 0x6f70656e, 2);
  return OPENED_LAYERS.map(([rows, most]) => {
    const units = Math.min(most, neuron.mostUnits ?? most);
    return unitsMisfit(neuron, opening, rows, units, random);
  }).find((wrong) => wrong !== undefined);
}

function unitsMisfit(
  neuron: Neuron,
  opening: Opening,
  rows: number,
  units: number,
  random: RandomStream,
): string | undefined {
  for (const Kind of [Float64Array, Float32Array]) {
    const make = (length: number, draw: () => number): Numbers => new Kind(length).map(draw);
    const logits = make(rows * units, () => WIDEST * (2 * random.uniform() - 1));
    const noise = make(logits.length * neuron.noise, random.uniform);
    const dp = make(logits.length, random.normal);
    const both = (layer: { rows: number; units: number }): Numbers[] => {
      const [p, gradient] = [logits.slice().fill(Number.NaN), logits.slice().fill(Number.NaN)];
      opening.probability({ ...layer, logits, noise }, p);
      opening.pullback({ ...layer, logits, noise }, dp, gradient);
      return [p, gradient];
    };
    const all = both({ rows, units });
    for (const [k, alone] of both({ rows: rows * units, units: 1 }).entries()) {
      const i = alone.findIndex((value, at) => !(Math.abs(value - all[k][at]) <= 1e-6 * (1 + Math.abs(value))));
      if (i >= 0)
        return `\`opening.${k === 0 ? 'probability' : 'pullback'}\` gives unit ${i % units} of ${units} ${short(all[k][i])} and the same unit alone ${short(alone[i])}, at the logit ${short(logits[i])}; expected the same`;
    }
  }
  return undefined;
}

/** Rows and units of draws that are weighed, and the most numbers of their outputs. */
const WEIGHED = [
  [5, 3],
  [1, 1],
  [70, 9],
  [3, 40],
] as const;
const MOST_WEIGHED = 200_000;
/** Losses: about which number, and how far from it. */
const LOSSES = [
  [0, 0.01],
  // All equal.
  [1, 0],
  [0, 1],
  [0, 20],
  [-50, 1],
  [100, 3],
] as const;

/** Are the weights of `weigh` the derivatives of its total? */
export function weighsByDerivative(neuron: Neuron): string | undefined {
  if (!neuron.weigh) return undefined;
  const { group = 1, mostUnits = Number.POSITIVE_INFINITY } = neuron;
  for (const [rows, least] of WEIGHED) {
    const units = Math.min(group * Math.ceil(least / group), mostUnits);
    if (rows * units * drawsOf(neuron, units) > MOST_WEIGHED) continue;
    const random = randomStream(1, 0x77656967, rows, units);
    const pass = drawnPass(neuron, rows, units, { random, logit: (normal) => 2 * normal }, Float64Array);
    neuron.fire(pass);
    for (const [middle, size] of LOSSES) {
      const wrong = weighMisfit(
        neuron,
        { ...pass, loss: pass.loss.map(() => middle + size * random.normal()) },
        random,
      );
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

/** Along a direction in which every loss moves, the total of a row changes by its weights times what its losses do. */
function weighMisfit(
  neuron: Neuron,
  firing: Omit<Weighing, 'weights' | 'total'> & { readonly loss: Float64Array },
  random: RandomStream,
): string | undefined {
  const { rows, units, loss } = firing;
  const weighed = (losses: Float64Array): { weights: Float64Array; total: Float64Array } => {
    const [weights, total] = [new Float64Array(loss.length).fill(Number.NaN), new Float64Array(rows)];
    neuron.weigh?.({ ...firing, loss: losses, weights, total });
    return { weights, total };
  };
  const { weights } = weighed(loss);
  /** ∂total/∂t of every row, its losses at loss + t·direction. */
  const slopes = (direction: Float64Array): Float64Array => {
    const known = new Map<number, Float64Array>();
    const totalAt = (t: number): Float64Array => {
      const total = known.get(t) ?? weighed(loss.map((value, i) => value + t * direction[i])).total;
      known.set(t, total);
      return total;
    };
    return Float64Array.from({ length: rows }, (_, row) => derivative((t) => totalAt(t)[row], 0, 0.01));
  };
  const direction = loss.map(() => (random.uniform() < 0.5 ? -1 : 1) * (0.5 + random.uniform()));
  const found = slopes(direction);
  for (let row = 0; row < rows; row++) {
    let [declared, size] = [0, 1];
    for (let i = row; i < loss.length; i += rows) {
      declared += weights[i] * direction[i];
      size += Math.abs(weights[i] * direction[i]);
    }
    if (Math.abs(declared - found[row]) <= 1e-6 * size) continue;
    for (let i = row; i < loss.length; i += rows) {
      const slope = slopes(loss.map((_, k) => (k === i ? 1 : 0)))[row];
      if (!(Math.abs(weights[i] - slope) <= 1e-6 * (1 + Math.abs(slope))))
        return `\`weigh\` gives draw ${Math.floor(i / rows)} the weight ${short(weights[i])}, and ∂total/∂loss is ${short(slope)}, at losses of about ${short(loss[i])} in a layer of ${units} units; expected the same`;
    }
    return `\`weigh\` gives an example a total that depends on the losses of others, of ${rows} rows`;
  }
  return undefined;
}

/** Does `settle` give a unit that is alone in its row, before training, what `expect` gives? */
export function settlesAsExpected(neuron: Neuron): string | undefined {
  if (!neuron.settle) return undefined;
  const logits = Float64Array.from({ length: 2 * SETTLED + 1 }, (_, i) => (WIDEST * (i - SETTLED)) / SETTLED);
  const h = new Float64Array(logits.length).fill(Number.NaN);
  const state = startingState(neuron, 1);
  neuron.settle({ rows: logits.length, units: 1, logits, noise: new Float64Array(0), h, state });
  const wrong = logits.findIndex((logit, i) => !(Math.abs(h[i] - neuron.expect(logit)) <= 1e-9 * (1 + Math.abs(h[i]))));
  return wrong < 0
    ? undefined
    : `\`settle\` gives a unit that is alone in its row ${short(h[wrong])} at the logit ${short(logits[wrong])}, and \`expect\` ${short(neuron.expect(logits[wrong]))}; expected the same`;
}

/** Logits of `settlesAsExpected` on each side of 0. */
const SETTLED = 40;

/** A sensible multiple of a learning rate. */
export function scalesLearning({ learningRateScale = 1 }: Neuron): string | undefined {
  return learningRateScale > 0 && learningRateScale <= 1e6
    ? undefined
    : `\`learningRateScale\` is ${learningRateScale}; expected a number over 0, up to 1e6`;
}

/** Is h = a, and the gradient the cotangent, where it says so? */
export function isIdentity(neuron: Neuron): string | undefined {
  if (!neuron.identity) return undefined;
  const [rows, units] = [40, 5];
  const inputs = { random: randomStream(1, 0x6964656e), logit: (normal: number) => 10 * normal };
  const pass = drawnPass(neuron, rows, units, inputs, Float64Array);
  neuron.fire(pass);
  neuron.pullback(pass);
  const fits = pass.logits.every((logit, i) => pass.h[i] === logit && pass.gradient[i] === pass.dh[i]);
  return fits ? undefined : 'it says `identity`, and h is not the logit, or the gradient not the cotangent';
}
