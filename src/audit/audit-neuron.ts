import { sum } from '../math/statistics.ts';
import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { drawsOf } from '../tensor/draws.ts';
import { withFoundCells } from './found-cells.ts';
import { type GradientErrors, gradientErrors, norm } from './gradient-errors.ts';
import { auditLogits, gridPoints, integrableUnits } from './grid-size.ts';
import { integrate } from './integrate.ts';
import { hasUntoldJointDraws } from './joint-rows.ts';
import type { Problem } from './problems.ts';
import { sampleNeuron, warmState } from './sample-neuron.ts';
import { gradientInUse, unitOf } from './unit-of.ts';

/** Options of `auditNeuron`. */
export interface AuditOptions {
  /** Makes the loss for so many units. */
  readonly problem: (units: number) => Problem;
  /** Default 6. Units whose own gradient takes a finer grid are fewer. */
  readonly units?: number;
  /** Gradients that are drawn where the grid is too large; default 40,000. */
  readonly samples?: number;
  /** Loss evaluations that estimates are averaged over, for comparing them; default 64. */
  readonly evaluations?: number;
  /** Default 1. */
  readonly seed?: number;
}

const NAMES: NamesOf<AuditOptions> = { problem: true, units: true, samples: true, evaluations: true, seed: true };

/** A number with the interval that it lies in. */
export interface Interval {
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

/** What a neuron's gradient is worth on one problem. */
export interface NeuronAudit extends GradientErrors {
  readonly name: string;
  readonly problem: string;
  readonly units: number;
  /** `bits`: in use a unit is 1 with probability σ(a), else 0, so that the true gradient is that of all such; `own`: another unit. */
  readonly unit: 'bits' | 'own';
  readonly method: 'integration' | 'sampling';
  /** Gradients drawn; 0 by integration. */
  readonly samples: number;
  /** Evaluations of the loss for one gradient. */
  readonly evaluations: number;
  /** |E[ĝ] − ∇|; of samples, with four standard errors to each side. */
  readonly bias: Interval;
  /** Σ Var[ĝ]. */
  readonly totalVariance: number;
  /** E|ĝ − ∇|² of one gradient. */
  readonly squaredError: number;
  /** The same after averaging gradients that take `AuditOptions.evaluations` loss evaluations together, over |∇|². */
  readonly atEqualCompute: number;
  /** For one gradient, the loss and its evaluations included. */
  readonly seconds: number;
}

/** Operations of one exact integration: points × draws × units. */
const MOST_WORK = 3_000_000;
/** Points of a grid that is integrated again and again. */
const FEW_POINTS = 20_000;
const STANDARD_ERRORS = 4;
/** Minibatches of 64 that moving averages and learned control variates see before they are measured. */
const WARM_UP = 100;
/** Time that the clock measures over, in seconds. */
const CLOCK = 0.01;

/** Measures one neuron on one problem, its state warmed up there: exactly where the grid allows, else by sampling. */
export function auditNeuron(given: Neuron, options: AuditOptions): NeuronAudit {
  checkNames('auditNeuron', options, NAMES);
  const neuron = withFoundCells(given);
  const { samples = 40_000, evaluations: budget = 64, seed = 1 } = options;
  const unit = unitOf(neuron);
  const most = options.units ?? 6;
  const units = unit === 'bits' ? most : unitsWithOwnGradient(neuron, most);
  const problem = options.problem(units);
  const logits = auditLogits(neuron, units);
  const truth = gradientInUse(neuron, logits, problem.loss);
  const evaluations = drawsOf(neuron, units);
  const state = warmState(neuron, logits, problem.loss, { minibatches: WARM_UP, seed: seed + 1 });
  const errors = gradientErrors(truth);
  const exact = !hasUntoldJointDraws(given) && gridPoints(neuron, units) * evaluations * units <= MOST_WORK;
  if (exact) integrate(neuron, logits, problem.loss, state, errors.observe);
  else sampleNeuron(neuron, logits, problem.loss, { samples, seed, state, observe: errors.observe });
  const found = errors.result();
  const totalVariance = sum(found.variance);
  const bias = biasOf(found, exact ? 0 : STANDARD_ERRORS * Math.sqrt(totalVariance / samples));
  return {
    ...found,
    name: neuron.name,
    problem: problem.name,
    units,
    unit,
    method: exact ? 'integration' : 'sampling',
    samples: exact ? 0 : samples,
    evaluations,
    bias,
    totalVariance,
    squaredError: bias.value ** 2 + totalVariance,
    atEqualCompute: relativeTo(bias.value ** 2 + (totalVariance * evaluations) / budget, norm(truth) ** 2),
    seconds: secondsOf(neuron, logits, problem, state),
  };
}

/** Whole groups, as many as that; else as many as can be integrated, and where a rule fixes how many are open and has no noise, enough that two are. */
function unitsWithOwnGradient(neuron: Neuron, most: number): number {
  const { group } = neuron;
  if (group) return group * Math.max(1, Math.floor(most / group));
  let units = Math.max(1, integrableUnits(neuron, most, FEW_POINTS));
  while (neuron.noise === 0 && neuron.opens && neuron.opens(units) < 2) units++;
  return units;
}

/** No error of a gradient that is 0 is 0; any other is infinite. */
const relativeTo = (error: number, scale: number): number => (error === 0 ? 0 : error / scale);

/** @param error how far the sampled mean may be from E[ĝ] */
function biasOf({ mean, truth }: GradientErrors, error: number): Interval {
  const distance = norm(mean.map((value, unit) => value - truth[unit]));
  return { value: distance, least: Math.max(0, distance - error), most: distance + error };
}

/** Of one gradient: the mean over as many as take ten milliseconds. */
function secondsOf(neuron: Neuron, logits: Float64Array, { loss }: Problem, state: NeuronState): number {
  const start = performance.now();
  let samples = 0;
  for (let chunk = 64; performance.now() - start < 1000 * CLOCK; chunk *= 2) {
    sampleNeuron(neuron, logits, loss, { samples: chunk, seed: 9, state });
    samples += chunk;
  }
  return (performance.now() - start) / 1000 / samples;
}
