/** Neurons that tests of the audit change in one respect, and what the judge says of one claim. */
import { biasVerdicts, measureBias } from '../../src/audit/bias-claim.ts';
import { checkNeuron } from '../../src/audit/checks.ts';
import { expectationVerdicts } from '../../src/audit/expectation-claims.ts';
import { kernelsMisfit } from '../../src/audit/twin-check.ts';
import {
  certify,
  defineNeuron,
  type Neuron,
  type NeuronDefinition,
  resolveNeuron,
  type Verdict,
  variants,
} from '../../src/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import { sum } from '../../src/math/statistics.ts';
import type { Firing, Pullback, Weighing } from '../../src/neurons/contract.ts';
import { builds } from './engines.ts';

const { twin: _twin, ...bare } = resolveNeuron('stochastic-binary:baseline=none') as Neuron;
const { cells: _cells, ...cut } = bare;
/** REINFORCE without a baseline and without kernels; and without its declared cells. */
export const score: Neuron = bare;
export const uncut: Omit<Neuron, 'cells'> = cut;
export const rloo: Neuron = resolveNeuron('rloo:K=3');
/** K states of a row that differ, one after another; and with no cells declared. */
export const set: Neuron = resolveNeuron('unordered-set:K=3');
const { rowCells: _rows, cells: _own, ...celless } = set;
export const untold: Neuron = celless;

/** One number of a gradient. */
export interface Where {
  readonly pass: Pullback;
  readonly a: number;
  readonly row: number;
  readonly unit: number;
  readonly i: number;
  readonly loss: number;
}

/** REINFORCE times a factor, less a baseline. */
export const times =
  (factor: (where: Where) => number, baseline: (where: Where) => number = () => 0): Neuron['pullback'] =>
  (pass) => {
    const { units, logits, h, loss, gradient } = pass;
    for (let i = 0; i < gradient.length; i++) {
      const [row, unit] = [Math.floor(i / units), i % units];
      const where = { pass, a: logits[i], row, unit, i, loss: loss[row] };
      gradient[i] = (h[i] - sigmoid(logits[i])) * (loss[row] - baseline(where)) * factor(where);
    }
  };

const counted = new WeakMap<Pullback, number[]>();

/** How many units of the row are 1; a pass is counted once. */
export function ones({ pass, row }: Pick<Where, 'pass' | 'row'>): number {
  const { h, units } = pass;
  const rows = counted.get(pass) ?? [];
  counted.set(pass, rows);
  rows[row] ??= sum(h.subarray(row * units, (row + 1) * units));
  return rows[row];
}

/** Neuron and definition of one with options. */
export const optional = (
  name: string,
  pullback: (options: { c: number; d: number }) => Neuron['pullback'],
): NeuronDefinition =>
  defineNeuron({
    name,
    source: 'this test',
    summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))·L, and for some options another',
    options: {
      c: { minimum: 0, maximum: 1, default: 0, meaning: 'a number' },
      d: { minimum: 0, maximum: 1, default: 0, meaning: 'another' },
    },
    rule: (options) => ({ ...score, claims: { unbiased: true }, pullback: pullback(options) }),
  }) as unknown as NeuronDefinition;

/** What the part of the judge that looks at a claim says of it. */
export function verdictOn(claim: string, of: Neuron | NeuronDefinition): Verdict | undefined {
  const among = (all: readonly Verdict[]): Verdict | undefined => all.find((one) => one.claim === claim);
  if ('rule' in of) return among(certify(variants(of)[0]));
  if (claim === 'unbiased') return among(biasVerdicts([measureBias(of, of.name, true)]));
  if (claim === 'mean' || claim === 'rate') return among(expectationVerdicts(of));
  if (claim !== 'twin') return among(checkNeuron(of));
  const evidence = builds.map((engine) => kernelsMisfit(of, engine)).find((one) => one !== undefined);
  return { claim, verdict: evidence === undefined ? 'holds' : 'refuted', evidence: evidence ?? '' };
}

export const equalWeights = ({ rows, loss, weights, total }: Weighing): void => {
  const draws = loss.length / rows;
  weights.fill(1 / draws);
  total.fill(0);
  for (let i = 0; i < loss.length; i++) total[i % rows] += loss[i] / draws;
};
/** A gradient times a factor. */
export const scaled =
  (of: Neuron, factor: (pass: Pullback, i: number) => number): Neuron['pullback'] =>
  (pass) => {
    of.pullback(pass);
    for (let i = 0; i < pass.gradient.length; i++) pass.gradient[i] *= factor(pass, i);
  };

/** REINFORCE of every draw, all weighed alike: right only if draws are independent. */
export function meanScore({ rows, units, logits, h, loss, gradient }: Pullback): void {
  const draws = loss.length / rows;
  for (let i = 0; i < gradient.length; i++) {
    let total = 0;
    for (let draw = 0; draw < draws; draw++)
      total += loss[draw * rows + Math.floor(i / units)] * (h[draw * logits.length + i] - sigmoid(logits[i]));
    gradient[i] = total / draws;
  }
}

export const bits =
  (f: (i: number, noise: Firing['noise']) => number) =>
  ({ logits, noise, h }: Firing): void => {
    for (let i = 0; i < h.length; i++)
      h[i] = Number.isFinite(logits[i]) ? (f(i, noise) < sigmoid(logits[i]) ? 1 : 0) : Number.NaN;
  };
export const several = (noise: number, part: Partial<Neuron>): Neuron => {
  const fire = part.fire ?? bits((i, u) => u[noise * i]);
  return { ...uncut, noise, fire, sample: fire, pullback: times(() => 1), ...part };
};
export const own = ({ pass, i }: Where, number: number): number =>
  pass.noise[(pass.noise.length / pass.logits.length) * i + number];
