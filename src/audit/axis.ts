import type { Neuron } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { STEP, tanhSinh } from './quadrature.ts';

/** Which unit of a row is meant. */
export type UnitPlace = { readonly unit: number; readonly units: number };

/** Makes another grid that integrates the same: nodes elsewhere in flat cells, and more of them in others. */
export interface Finer {
  /** Numbers in (0, 1). */
  random(): number;
}

/** A node of one noise number. */
export interface AxisNode {
  readonly u: number;
  readonly weight: number;
  /** The weight that it has with the 2²³ numbers that are drawn (`wordToUniform`), in place of all of (0, 1). */
  readonly drawn: number;
}

/** Share of the 2²³ numbers that are drawn, (2k + 1)·2⁻²⁴, under x. */
export const drawnUnder = (x: number): number => Math.min(1, Math.max(0, Math.ceil((x * 2 ** 24 - 1) / 2) / 2 ** 23));

/** The nodes in a cell that is flat, straight or curved. */
export function nodesOf(shape: CellShape, from: number, to: number, finer?: Finer): AxisNode[] {
  const width = to - from;
  const share = (drawnUnder(to) - drawnUnder(from)) / width;
  const node = (u: number, weight: number): AxisNode => ({ u, weight, drawn: weight * share });
  if (shape === 'flat') return [node(from + width * (finer?.random() ?? 0.5), width)];
  if (shape === 'curved') {
    const { nodes, weights } = tanhSinh(from, to, finer ? STEP / 1.5 : STEP);
    return nodes.map((u, k) => node(u, weights[k]));
  }
  // Two nodes of Gauss and Legendre are exact for the squares of straight lines.
  const pair = (low: number, high: number): AxisNode[] =>
    [-1, 1].map((sign) => {
      const half = (high - low) / 2;
      return node(low + half + (sign * half) / Math.sqrt(3), half);
    });
  if (!finer) return pair(from, to);
  const middle = from + width * finer.random();
  return [...pair(from, middle), ...pair(middle, to)];
}

/** (0, 1) in pieces of positive width, from one cut to the next. */
export function edgesOf(cuts: readonly number[]): [number, number][] {
  const inside = cuts.filter((cut) => cut > 0 && cut < 1).sort((a, b) => a - b);
  const edges = [0, ...inside, 1];
  return edges.slice(1).flatMap((to, i): [number, number][] => (to === edges[i] ? [] : [[edges[i], to]]));
}

/** Are the draws of a row joint, though its units are not coupled in use, and its cells declared? */
export const hasJointDraws = ({ jointNoise, rowCells }: Neuron): boolean =>
  jointNoise === undefined && rowCells !== undefined;

/** Are the units of a row integrated together: coupled, or their draws joint? */
export const isWholeRow = (neuron: Neuron): boolean =>
  hasJointDraws(neuron) || (neuron.jointNoise !== undefined && neuron.group === undefined);

/** The nodes of the next noise number of a unit, group or row, after those before it. */
export function axisNodes(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  place?: UnitPlace,
  finer?: Finer,
): AxisNode[] {
  return edgesOf(cutsOf(neuron, logits, before, place)).flatMap(([from, to]) => {
    // A coupled unit that is alone in its row does not show what its noise does to others.
    const shape = neuron.jointNoise && !neuron.group ? 'curved' : shapeOf(neuron, logits, before, [from, to], place);
    return nodesOf(shape, from, to, finer);
  });
}

/** Where the next noise number of a unit, group or row is cut, after those before it. */
export function cutsOf(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  place?: UnitPlace,
): readonly number[] {
  const index = before.length;
  const cuts =
    neuron.group || hasJointDraws(neuron)
      ? neuron.rowCells?.({ logits: Float64Array.from(logits), noise: Float64Array.from(before) }, index)
      : neuron.cells?.(logits[0], index, before, place);
  return cuts ?? [];
}

/** Cuts that are found are known to about that. */
const SAME_CUT = 1e-12;
/** Where in a cell it is probed, as shares of its width. */
const PROBES = [0.003, 0.11, 0.27, 0.5, 0.66, 0.87, 0.996];
/** What the other noise numbers of the unit are meanwhile. */
export const OTHERS = [0.13, 0.5, 0.91];

/** Cells of the next noise number that are looked into: the narrowest, which the others may miss. */
const NARROWEST = 4;

type CellShape = 'flat' | 'straight' | 'curved';

/**
 * In a cell of one noise number, is everything the same (flat), or h the same and the pullback a straight line? Probed, so that no
 * neuron need declare it. Where it moves a cut of the next number, what is integrated is not the same, however unlikely a state that
 * the cut bounds.
 */
function shapeOf(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  [from, to]: readonly [number, number],
  place?: UnitPlace,
): CellShape {
  const probes = PROBES.map((share) => from + share * (to - from));
  // The last noise number has no others after it.
  const last = before.length + 1 === logits.length * neuron.noise;
  const cuts = last ? [] : probes.map((u) => cutsOf(neuron, logits, [...before, u], place));
  if (cuts.some((one) => one.length !== cuts[0].length || one.some((cut, i) => Math.abs(cut - cuts[0][i]) > SAME_CUT)))
    return 'curved';
  const within = edgesOf(cuts[0] ?? [])
    .sort(([a, b], [c, d]) => b - a - (d - c))
    .slice(0, NARROWEST)
    .map(([low, high]) => (low + high) / 2);
  const others = last ? OTHERS.slice(1, 2) : cuts[0].length === 0 ? OTHERS : [...OTHERS, ...within];
  const all = probeRows(
    neuron,
    logits,
    before,
    others.flatMap((other) => probes.map((u) => ({ u, other }))),
  );
  const shapes = others.map((_, i): CellShape => {
    const answers = all.slice(i * probes.length, (i + 1) * probes.length);
    const [first, last] = [answers[0], answers[answers.length - 1]];
    if (answers.every((answer) => answer.every((value, i) => value === first[i]))) return 'flat';
    const gradients = first.length - logits.length;
    const isStraight = answers.every((answer, k) => {
      const share = (PROBES[k] - PROBES[0]) / (PROBES[PROBES.length - 1] - PROBES[0]);
      return answer.every((value, i) => {
        if (i < gradients) return value === first[i];
        const line = first[i] + share * (last[i] - first[i]);
        return Math.abs(value - line) <= 1e-13 * (Math.abs(first[i]) + Math.abs(last[i]));
      });
    });
    return isStraight ? 'straight' : 'curved';
  });
  return shapes.includes('curved') ? 'curved' : shapes.includes('straight') ? 'straight' : 'flat';
}

/**
 * h of one unit for every draw, and its gradient for some losses and cotangents that differ between the draws.
 * @param before its first noise numbers; the next one is `u`, and all after it are `other`
 */
export function probe(neuron: Neuron, logit: number, before: readonly number[], u: number, other: number): number[] {
  return probeRows(neuron, [logit], before, [{ u, other }])[0];
}

/** The same for the units of one group or row, unit after unit, of many numbers `u`; cotangents differ between units too. */
function probeRows(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  probes: readonly { readonly u: number; readonly other: number }[],
): number[][] {
  const [units, rows] = [logits.length, probes.length];
  const width = units * neuron.noise;
  const noise = new Float64Array(rows * width);
  const all = new Float64Array(rows * units);
  probes.forEach(({ u, other }, row) => {
    noise.fill(other, row * width, (row + 1) * width);
    noise.set(before, row * width);
    noise[row * width + before.length] = u;
    all.set(logits, row * units);
  });
  const draws = drawsOf(neuron, units);
  const h = new Float64Array(draws * rows * units);
  const gradient = new Float64Array(rows * units);
  const loss = new Float64Array(draws * rows);
  const dh = new Float64Array(h.length);
  for (let draw = 0, at = 0; draw < draws; draw++)
    for (let row = 0; row < rows; row++) {
      loss[draw * rows + row] = 1.3 + 0.7 * draw;
      for (let unit = 0; unit < units; unit++) dh[at++] = 0.9 - 0.4 * (draw * units + unit);
    }
  const firing = { rows, units, logits: all, noise, h, state: startingState(neuron, units) };
  neuron.fire(firing);
  neuron.pullback({ ...firing, loss, dh, gradient });
  return probes.map((_, row) => {
    const answer: number[] = [];
    for (let draw = 0; draw < draws; draw++)
      for (let unit = 0; unit < units; unit++) answer.push(h[(draw * rows + row) * units + unit]);
    for (let unit = 0; unit < units; unit++) answer.push(gradient[row * units + unit]);
    return answer;
  });
}
