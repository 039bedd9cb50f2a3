/** Checks of what a neuron declares beside its gradient: opening, weigh, identity, learningRateScale. */
import type { Neuron, Opening } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { zOf } from './bias-claim.ts';
import { cellsOf } from './found-cells.ts';
import { estimatePoints, newGrid } from './grid.ts';
import { type Integral, integrateOver } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { short } from './places.ts';
import { derivative } from './quadrature.ts';
import { sampleNeuron } from './sample-neuron.ts';
import { FALSE_ALARM } from './verdict.ts';

const [LOGITS, FEW_LOGITS] = [24, 8];
const WIDEST = 16;
const POINTS = 3000;
/** Of h, where the grid is larger. */
const DRAWS = 20_000;
/** What P(h ≠ 0) and the mean of `opening.probability` may be apart, integrated over the same grid. */
const KNOWN = { absolute: 1e-8, relative: 1e-6 };
/** Coupled units whose opening is integrated. */
const COUPLED = 2;

const nothing = (h: Float64Array) => ({ loss: 0, dh: new Float64Array(h.length) });

/** Is `opening` P(h ≠ 0) over all noise, and its pullback the derivative? */
export function opensWithProbability(neuron: Neuron): string | undefined {
  const { opening } = neuron;
  if (!opening) return undefined;
  return probabilityMisfit(neuron, opening) ?? pullbackMisfit(neuron, opening);
}

function probabilityMisfit(neuron: Neuron, opening: Opening): string | undefined {
  const unit = leanUnit(cellsOf(neuron).neuron);
  const units = neuron.jointNoise ? COUPLED : 1;
  // One grid serves both where the gradient of a unit is its declared probability.
  const both: Neuron = { ...unit, pullback: ({ gradient, ...firing }) => opening.probability(firing, gradient) };
  const small = estimatePoints(both, new Float64Array(units).fill(0.7), POINTS) <= POINTS;
  const random = randomStream(1, 0x6f70656e);
  for (let i = 0; i < (neuron.jointNoise ? FEW_LOGITS : LOGITS); i++) {
    const logits = Float64Array.from(
      { length: units },
      () => (neuron.jointNoise ? 2 : WIDEST) * (2 * random.uniform() - 1),
    );
    const known = (small && exactOpening(both, logits, random)) || sampledOpening(both, logits, i);
    const wrong = known.rate.findIndex((p, k) => !(Math.abs(p - known.declared[k]) <= known.tolerance[k]));
    if (wrong >= 0)
      return `\`opening.probability\` is ${long(known.declared[wrong])} on average at the logit ${short(logits[wrong])}, and P(h ≠ 0) is ${long(known.rate[wrong])} ${known.how}; expected the same`;
  }
  return undefined;
}

const long = (value: number): string => Number(value.toPrecision(7)).toString();

/** P(h ≠ 0), and the mean of what is declared; one number a unit. */
interface Opened {
  readonly rate: Float64Array;
  readonly declared: Float64Array;
  readonly tolerance: Float64Array;
  readonly how: string;
}

/** By integration, where two grids agree on the difference. @param both its gradient is the declared probability */
function exactOpening(both: Neuron, logits: Float64Array, random: RandomStream): Opened | undefined {
  const [first, second] = [undefined, { random: random.uniform }].map((finer) =>
    integrateOver(newGrid(both, logits, finer && { finer }), both, logits, nothing),
  );
  const tolerance = first.rate.map((p) => KNOWN.absolute + KNOWN.relative * p);
  const off = (one: Integral, k: number): number => one.rate[k] - one.gradient[k];
  if (tolerance.some((most, k) => Math.abs(off(first, k) - off(second, k)) > most)) return undefined;
  return { rate: first.rate, declared: first.gradient, tolerance, how: 'by exact integration' };
}

/** By sampling. */
function sampledOpening(both: Neuron, logits: Float64Array, seed: number): Opened {
  const { rate, gradient, variance } = sampleNeuron(both, logits, nothing, { samples: DRAWS, seed });
  const z = zOf(2 * LOGITS);
  const error = (square: number): number => (z * Math.sqrt(square) + (z * z) / Math.sqrt(DRAWS)) / Math.sqrt(DRAWS);
  const tolerance = rate.map((p, k) => error(p * (1 - p)) + error(variance[k]));
  return { rate, declared: gradient, tolerance, how: `in ${DRAWS} draws (false alarms ${FALSE_ALARM})` };
}

function pullbackMisfit(neuron: Neuron, opening: Opening): string | undefined {
  const [rows, units] = [6, 7];
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

/** Are the weights of `weigh` the derivatives of its total? */
export function weighsByDerivative(neuron: Neuron): string | undefined {
  if (!neuron.weigh) return undefined;
  const [rows, units] = [5, neuron.group ?? 3];
  const draws = drawsOf(neuron, units);
  const random = randomStream(1, 0x77656967);
  for (const size of [0.01, 1, 20]) {
    const logits = Float64Array.from({ length: rows * units }, () => 2 * random.normal());
    const noise = Float64Array.from({ length: rows * units * neuron.noise }, random.uniform);
    const h = new Float64Array(draws * rows * units);
    const firing = { rows, units, logits, noise, h, state: startingState(neuron, units) };
    neuron.fire(firing);
    const loss = Float64Array.from({ length: draws * rows }, () => size * random.normal());
    const total = new Float64Array(rows);
    const weights = new Float64Array(draws * rows).fill(Number.NaN);
    const at = (losses: Float64Array): Float64Array => {
      total.fill(0);
      neuron.weigh?.({ ...firing, loss: losses, weights, total });
      return total;
    };
    at(loss);
    const declared = weights.slice();
    for (let look = 0; look < 60; look++) {
      const i = look < 8 ? look % loss.length : random.integer(loss.length);
      const slope = derivative((x) => at(loss.with(i, x))[i % rows], loss[i], 0.01);
      if (!(Math.abs(declared[i] - slope) <= 1e-6 * (1 + Math.abs(slope))))
        return `\`weigh\` gives draw ${Math.floor(i / rows)} the weight ${short(declared[i])}, and ∂total/∂loss is ${short(slope)}; expected the same`;
    }
  }
  return undefined;
}

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
  const random = randomStream(1, 0x6964656e);
  const logits = Float64Array.from({ length: rows * units }, () => 20 * (2 * random.uniform() - 1));
  const dh = Float64Array.from(logits, random.normal);
  const [h, gradient, loss] = [
    new Float64Array(logits.length),
    new Float64Array(logits.length),
    new Float64Array(rows),
  ];
  const noise = Float64Array.from({ length: logits.length * neuron.noise }, random.uniform);
  const firing = { rows, units, logits, noise, h, state: startingState(neuron, units) };
  neuron.fire(firing);
  neuron.pullback({ ...firing, loss, dh, gradient });
  const fits = logits.every((logit, i) => h[i] === logit && gradient[i] === dh[i]);
  return fits ? undefined : 'it says `identity`, and h is not the logit, or the gradient not the cotangent';
}
