import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { drawsOf, weighDraws } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type Rule, tanhSinh } from './quadrature.ts';

/** A loss as a function of what the units of one example emit: h (units) → the loss, and ∂loss/∂h (units). */
export type Loss = (h: Float64Array) => { readonly loss: number; readonly dh: ArrayLike<number> };

/** One node of the integration over the noise of one unit. */
export interface UnitNode {
  /** The unit's noise numbers: `neuron.noise` of them. */
  readonly noise: readonly number[];
  readonly weight: number;
}

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

/** The most points of a product grid: 2⁸ states of binary units, or three units of continuous noise, and room to spare. */
const MAXIMUM_POINTS = 4_000_000;
/** Points that are fired together, as the rows of one minibatch. */
const ROWS = 128;

/**
 * Integrates over the noise of a layer of neurons, for one example: the product of the rules of its units (`unitNodes`), or
 * where units are coupled by noise, one integral within the other (`rowNodes`).
 * @param logits one a unit
 * @param state the neuron's moving averages; default: what every unit starts with
 * @param observe sees the gradient (units) at every point of the grid, and the point's weight
 * @throws RangeError for a logit that is not finite; when the grid has over four million points: fewer units would do
 */
export function integrate(
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  state?: NeuronState,
  observe?: GradientObserver,
): Integral {
  const units = logits.length;
  const broken = Array.from(logits).findIndex((logit) => !Number.isFinite(logit));
  if (broken >= 0)
    throw new RangeError(
      `The logit of unit ${broken} is ${logits[broken]}, and "${neuron.name}" has no gradient there; a finite number would do.`,
    );
  const grid = gridOf(neuron, logits);
  const moments = new Moments(units, observe);
  const minibatch = new Minibatch(neuron, logits, state ?? startingState(neuron, units));
  for (let first = 0; first < grid.points; first += ROWS)
    minibatch.run(grid, first, Math.min(ROWS, grid.points - first), loss, moments);
  return moments.result();
}

/** Which unit of a row is meant. */
type Place = { readonly unit: number; readonly units: number };

/** The nodes of the integration over the noise of a whole row. */
interface Grid {
  readonly points: number;
  /** How many numbers it holds. */
  readonly size: number;
  /** Writes the noise of one point (units·noise numbers) into `noise` from index `at` on. @returns its weight */
  place(point: number, noise: Float64Array, at: number): number;
}

/** Grids of a neuron by the logits: several losses and states are integrated on the same ones, and making one may take longer. */
const grids = new WeakMap<Neuron, Map<string, Grid>>();
/** Numbers in the grids that are kept of a neuron, at most. */
const KEPT = 1_000_000;

function gridOf(neuron: Neuron, logits: ArrayLike<number>): Grid {
  const key = Array.from(logits).join();
  const own = grids.get(neuron) ?? new Map<string, Grid>();
  const known = own.get(key);
  if (known) return known;
  const grid = neuron.couples && !neuron.group ? rowNodes(neuron, logits) : productGrid(neuron, logits);
  if ([...own.values()].reduce((sum, { size }) => sum + size, grid.size) > KEPT) own.clear();
  if (grid.size <= KEPT) grids.set(neuron, own.set(key, grid));
  return grid;
}

function checkPoints(neuron: Neuron, units: number, points: number): void {
  if (points > MAXIMUM_POINTS)
    throw new RangeError(
      `Integrating over ${units} units of "${neuron.name}" takes ${points} points; fewer units, so that it takes at most ${MAXIMUM_POINTS}, would do.`,
    );
}

/** Groups of units by themselves, mostly of one: the digits of a point's number choose the nodes of the groups. */
function productGrid(neuron: Neuron, logits: ArrayLike<number>): Grid {
  const groups = groupsOf(neuron, logits);
  const units = logits.length;
  const grid = groups.map((group, unit) => groupNodes(neuron, group, { unit, units }));
  const starts = groups.map((_, i) => neuron.noise * groups.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  const points = grid.reduce((product, nodes) => product * nodes.length, 1);
  checkPoints(neuron, logits.length, points);
  return {
    points,
    size: grid.reduce((sum, nodes) => sum + nodes.length, 0) * (neuron.noise + 1),
    place(point, noise, at) {
      let weight = 1;
      for (let group = 0, rest = point; group < grid.length; group++) {
        const nodes = grid[group];
        const node = nodes[rest % nodes.length];
        rest = Math.floor(rest / nodes.length);
        weight *= node.weight;
        noise.set(node.noise, at + starts[group]);
      }
      return weight;
    },
  };
}

/** The logits of units that depend on each other's: of every unit by itself, or of every group. */
function groupsOf({ group = 1 }: Neuron, logits: ArrayLike<number>): number[][] {
  const all = Array.from(logits);
  return Array.from({ length: Math.ceil(all.length / group) }, (_, i) => all.slice(i * group, (i + 1) * group));
}

/**
 * Coupled units: the cells of every noise number depend on those before it (`neuron.rowCells`), so its integral stands within
 * theirs. In each cell the double-exponential rule: what is left after the integrals within has kinks at the cuts alone.
 */
function rowNodes(neuron: Neuron, logits: ArrayLike<number>): Grid {
  const width = logits.length * neuron.noise;
  const row = Float64Array.from(logits);
  let count = 1;
  let noise = new Float64Array(width);
  let weights = Float64Array.of(1);
  for (let at = 0; at < width; at++) {
    const rules = Array.from({ length: count }, (_, point) => {
      const cuts = neuron.rowCells?.({ logits: row, noise: noise.subarray(point * width, (point + 1) * width) }, at);
      return edgesOf(cuts ?? []).flatMap(([from, to]) => pairsOf(tanhSinh(from, to)));
    });
    const points = rules.reduce((sum, rule) => sum + rule.length, 0);
    checkPoints(neuron, logits.length, points);
    const finer = { noise: new Float64Array(points * width), weights: new Float64Array(points) };
    let next = 0;
    rules.forEach((rule, point) => {
      for (const { u, weight } of rule) {
        finer.noise.set(noise.subarray(point * width, point * width + at), next * width);
        finer.noise[next * width + at] = u;
        finer.weights[next++] = weights[point] * weight;
      }
    });
    ({ noise, weights } = finer);
    count = points;
  }
  return {
    points: count,
    size: count * (width + 1),
    place(point, out, at) {
      out.set(noise.subarray(point * width, (point + 1) * width), at);
      return weights[point];
    },
  };
}

const pairsOf = ({ nodes, weights }: Rule): { u: number; weight: number }[] =>
  nodes.map((u, k) => ({ u, weight: weights[k] }));

/** (0, 1) in pieces of positive width, from one cut to the next. */
function edgesOf(cuts: readonly number[]): [number, number][] {
  const inside = cuts.filter((cut) => cut > 0 && cut < 1).sort((a, b) => a - b);
  const edges = [0, ...inside, 1];
  return edges.slice(1).flatMap((to, i): [number, number][] => (to === edges[i] ? [] : [[edges[i], to]]));
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
  private readonly weights = new Float64Array(ROWS);
  private readonly h: Float64Array;
  private readonly dh: Float64Array;
  private readonly loss: Float64Array;
  private readonly drawWeights: Float64Array;
  private readonly total = new Float64Array(ROWS);
  private readonly gradient: Float64Array;

  constructor(neuron: Neuron, logits: ArrayLike<number>, state: NeuronState) {
    this.neuron = neuron;
    this.units = logits.length;
    this.draws = drawsOf(neuron, this.units);
    this.state = state;
    const size = ROWS * this.units;
    this.logits = Float64Array.from({ length: size }, (_, i) => logits[i % this.units]);
    this.noise = new Float64Array(size * neuron.noise);
    this.h = new Float64Array(size * this.draws);
    this.dh = new Float64Array(size * this.draws);
    this.loss = new Float64Array(ROWS * this.draws);
    this.drawWeights = new Float64Array(ROWS * this.draws);
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

/**
 * The rule that integrates over the noise of one unit: (0, 1) is cut at `neuron.cells`, and each cell has one node where
 * neither h nor the pullback depends on the noise within it, two where h does not and the pullback is a straight line, and those
 * of the double-exponential rule elsewhere. With several noise numbers, the product of the rules of each; without noise, one node
 * of weight 1.
 * @throws RangeError when one unit has over four million nodes
 */
export function unitNodes(neuron: Neuron, logit: number): readonly UnitNode[] {
  return groupNodes(neuron, [logit]);
}

/** Where a noise number is of no use after each of so many, spread over all that stand before it, it is of none at all. */
const SEEN = 8;
const MIDDLE = [{ u: 0.5, weight: 1 }];

/** The same for the units of one group, unit after unit. */
function groupNodes(neuron: Neuron, logits: readonly number[], place?: Place): readonly UnitNode[] {
  let nodes: UnitNode[] = [{ noise: [], weight: 1 }];
  for (let at = 0; at < logits.length * neuron.noise; at++) {
    const some = nodes.filter((_, i) => i % Math.ceil(nodes.length / SEEN) === 0);
    const idle = nodes.length > SEEN && some.every(({ noise }) => axisNodes(neuron, logits, noise, place).length === 1);
    nodes = nodes.flatMap(({ noise, weight }) =>
      (idle ? MIDDLE : axisNodes(neuron, logits, noise, place)).map((node) => ({
        noise: [...noise, node.u],
        weight: weight * node.weight,
      })),
    );
    checkPoints(neuron, logits.length, nodes.length);
  }
  return nodes;
}

/** About how many nodes a unit has, by one of the ways through its noise numbers; unlike counting them, quick. */
export function estimateNodes(neuron: Neuron, logit: number): number {
  return estimatePoints(neuron, [logit]);
}

/** About how many points the grid of a layer has whose units, or groups of units, are by themselves. */
export function estimatePoints(neuron: Neuron, logits: ArrayLike<number>): number {
  return groupsOf(neuron, logits).reduce((points, group) => {
    const before: number[] = [];
    let nodes = 1;
    while (before.length < group.length * neuron.noise) {
      const axis = axisNodes(neuron, group, before);
      nodes *= axis.length;
      before.push(axis[axis.length >> 1].u);
    }
    return points * nodes;
  }, 1);
}

/** The nodes of the next noise number of a unit or group, after those before it. */
function axisNodes(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  place?: Place,
): { u: number; weight: number }[] {
  const index = before.length;
  const cuts = neuron.group
    ? neuron.rowCells?.({ logits: Float64Array.from(logits), noise: Float64Array.from(before) }, index)
    : neuron.cells?.(logits[0], index, before, place);
  return edgesOf(cuts ?? []).flatMap(([from, to]) => {
    // A coupled unit that is alone in its row does not show what its noise does to others.
    const shape = neuron.couples && !neuron.group ? 'curved' : shapeOf(neuron, logits, before, from, to);
    const half = (to - from) / 2;
    if (shape === 'flat') return [{ u: from + half, weight: 2 * half }];
    // Two nodes of Gauss and Legendre are exact for the squares of straight lines.
    if (shape === 'straight')
      return [-1, 1].map((sign) => ({ u: from + half + (sign * half) / Math.sqrt(3), weight: half }));
    return pairsOf(tanhSinh(from, to));
  });
}

/** Where in a cell it is probed, as shares of its width. */
const PROBES = [0.003, 0.11, 0.27, 0.5, 0.66, 0.87, 0.996];
/** What the other noise numbers of the unit are meanwhile. */
export const OTHERS = [0.13, 0.5, 0.91];

type CellShape = 'flat' | 'straight' | 'curved';

/**
 * In a cell of one noise number, is everything the same (flat), or h the same and the pullback a straight line? Probed, so that no
 * neuron need declare it.
 */
function shapeOf(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  from: number,
  to: number,
): CellShape {
  // The last noise number has no others after it.
  const others = before.length + 1 < logits.length * neuron.noise ? OTHERS : OTHERS.slice(1, 2);
  const shapes = others.map((other): CellShape => {
    const answers = PROBES.map((share) => probeUnits(neuron, logits, before, from + share * (to - from), other));
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
  return probeUnits(neuron, [logit], before, u, other);
}

/** The same for the units of one group, unit after unit; cotangents differ between units too. */
function probeUnits(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  u: number,
  other: number,
): number[] {
  const units = logits.length;
  const noise = new Float64Array(units * neuron.noise).fill(other);
  noise.set(before);
  noise[before.length] = u;
  const draws = drawsOf(neuron, units);
  const state = startingState(neuron, units);
  const h = new Float64Array(draws * units);
  const gradient = new Float64Array(units);
  const loss = Float64Array.from({ length: draws }, (_, draw) => 1.3 + 0.7 * draw);
  const dh = Float64Array.from({ length: draws * units }, (_, i) => 0.9 - 0.4 * i);
  const firing = { rows: 1, units, logits: Float64Array.from(logits), noise, h, state };
  neuron.fire(firing);
  neuron.pullback({ ...firing, loss, dh, gradient });
  return [...h, ...gradient];
}
