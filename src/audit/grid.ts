import type { Neuron, Numbers } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { STEP, tanhSinh } from './quadrature.ts';

/** One node of the integration over the noise of one unit. */
export interface UnitNode {
  /** The unit's noise numbers: `neuron.noise` of them. */
  readonly noise: readonly number[];
  readonly weight: number;
  /** The weight that it has with the 2²³ numbers that are drawn (`wordToUniform`), in place of all of (0, 1). */
  readonly drawn: number;
}

/** The most points of a product grid: 2⁸ states of binary units, or three units of continuous noise, and room to spare. */
const MAXIMUM_POINTS = 4_000_000;
/** Which unit of a row is meant. */
export type Place = { readonly unit: number; readonly units: number };

/** The nodes of the integration over the noise of a whole row. */
export interface Grid {
  readonly points: number;
  /** How many numbers it holds. */
  readonly size: number;
  /** Writes the noise of one point (units·noise numbers) into `noise` from index `at` on. @returns its weight */
  place(point: number, noise: Numbers, at: number): number;
  /** The weight of a point with the numbers that are drawn. */
  drawn(point: number): number;
}

/** Makes another grid that integrates the same: nodes elsewhere in flat cells, and more of them in others. */
export interface Finer {
  /** Numbers in (0, 1). */
  random(): number;
}

/** Grids of a neuron by the logits: several losses and states are integrated on the same ones, and making one may take longer. */
const grids = new WeakMap<Neuron, { readonly by: Map<string, Grid>; size: number }>();
/** Numbers in the grids that are kept of a neuron, at most. */
const KEPT = 1_000_000;

export function gridOf(neuron: Neuron, logits: ArrayLike<number>): Grid {
  // The grid of no noise is one point.
  if (neuron.noise === 0) return newGrid(neuron, logits);
  const key = Array.from(logits).join();
  const own = grids.get(neuron) ?? { by: new Map<string, Grid>(), size: 0 };
  const known = own.by.get(key);
  if (known) return known;
  const grid = newGrid(neuron, logits);
  if (grid.size > KEPT) return grid;
  own.size += grid.size;
  if (own.size > KEPT) {
    own.by.clear();
    own.size = grid.size;
  }
  own.by.set(key, grid);
  grids.set(neuron, own);
  return grid;
}

/** @param options.places which unit of which layer each of the groups is (default: the layer has no others) */
export function newGrid(
  neuron: Neuron,
  logits: ArrayLike<number>,
  options: { places?: readonly Place[]; finer?: Finer } = {},
): Grid {
  return neuron.jointNoise && !neuron.group
    ? rowNodes(neuron, logits, options.finer)
    : productGrid(neuron, logits, options);
}

function checkPoints(neuron: Neuron, units: number, points: number): void {
  if (points > MAXIMUM_POINTS)
    throw new RangeError(
      `Integrating over ${units} units of "${neuron.name}" takes ${points} points. Expected fewer units, so that it takes at most ${MAXIMUM_POINTS}.`,
    );
}

/** Groups of units by themselves, mostly of one: the digits of a point's number choose the nodes of the groups. */
function productGrid(
  neuron: Neuron,
  logits: ArrayLike<number>,
  { places, finer }: { places?: readonly Place[]; finer?: Finer },
): Grid {
  const groups = groupsOf(neuron, logits);
  const units = logits.length;
  const grid = groups.map((group, unit) => groupNodes(neuron, group, places?.[unit] ?? { unit, units }, finer));
  const starts = groups.map((_, i) => neuron.noise * groups.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  const points = grid.reduce((product, nodes) => product * nodes.length, 1);
  checkPoints(neuron, logits.length, points);
  /** Calls f with the node of every group. */
  const visit = (point: number, f: (node: UnitNode, group: number) => void): void => {
    for (let group = 0, rest = point; group < grid.length; group++) {
      const nodes = grid[group];
      f(nodes[rest % nodes.length], group);
      rest = Math.floor(rest / nodes.length);
    }
  };
  return {
    points,
    size: grid.reduce((sum, nodes) => sum + nodes.length, 0) * (neuron.noise + 1),
    place(point, noise, at) {
      let weight = 1;
      visit(point, (node, group) => {
        weight *= node.weight;
        for (let i = 0; i < node.noise.length; i++) noise[at + starts[group] + i] = node.noise[i];
      });
      return weight;
    },
    drawn(point) {
      let weight = 1;
      visit(point, (node) => {
        weight *= node.drawn;
      });
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
function rowNodes(neuron: Neuron, logits: ArrayLike<number>, finer?: Finer): Grid {
  const width = logits.length * neuron.noise;
  const row = Float64Array.from(logits);
  let count = 1;
  let noise = new Float64Array(width);
  let weights = Float64Array.of(1);
  let drawn = Float64Array.of(1);
  for (let at = 0; at < width; at++) {
    const rules = Array.from({ length: count }, (_, point) => {
      const cuts = neuron.rowCells?.({ logits: row, noise: noise.subarray(point * width, (point + 1) * width) }, at);
      return edgesOf(cuts ?? []).flatMap(([from, to]) => nodesOf('curved', from, to, finer));
    });
    const points = rules.reduce((sum, rule) => sum + rule.length, 0);
    checkPoints(neuron, logits.length, points);
    const more = {
      noise: new Float64Array(points * width),
      weights: new Float64Array(points),
      drawn: new Float64Array(points),
    };
    let next = 0;
    rules.forEach((rule, point) => {
      for (const node of rule) {
        more.noise.set(noise.subarray(point * width, point * width + at), next * width);
        more.noise[next * width + at] = node.u;
        more.weights[next] = weights[point] * node.weight;
        more.drawn[next++] = drawn[point] * node.drawn;
      }
    });
    ({ noise, weights, drawn } = more);
    count = points;
  }
  return {
    points: count,
    size: count * (width + 1),
    place(point, out, at) {
      out.set(noise.subarray(point * width, (point + 1) * width), at);
      return weights[point];
    },
    drawn: (point) => drawn[point],
  };
}

/** A node of one noise number. */
interface AxisNode {
  readonly u: number;
  readonly weight: number;
  readonly drawn: number;
}

/** Share of the 2²³ numbers that are drawn, (2k + 1)·2⁻²⁴, under x. */
export const drawnUnder = (x: number): number => Math.min(1, Math.max(0, Math.ceil((x * 2 ** 24 - 1) / 2) / 2 ** 23));

/** The nodes in a cell that is flat, straight or curved. */
function nodesOf(shape: CellShape, from: number, to: number, finer?: Finer): AxisNode[] {
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
function edgesOf(cuts: readonly number[]): [number, number][] {
  const inside = cuts.filter((cut) => cut > 0 && cut < 1).sort((a, b) => a - b);
  const edges = [0, ...inside, 1];
  return edges.slice(1).flatMap((to, i): [number, number][] => (to === edges[i] ? [] : [[edges[i], to]]));
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

/** Nodes, spread over all that stand before a noise number: if it is inert after each of so many, it is taken as inert after all. */
const SEEN = 8;

/** The same for the units of one group, unit after unit. */
function groupNodes(neuron: Neuron, logits: readonly number[], place?: Place, finer?: Finer): readonly UnitNode[] {
  let nodes: UnitNode[] = [{ noise: [], weight: 1, drawn: 1 }];
  for (let at = 0; at < logits.length * neuron.noise; at++) {
    const some = nodes.filter((_, i) => i % Math.ceil(nodes.length / SEEN) === 0);
    const idle = nodes.length > SEEN && some.every(({ noise }) => axisNodes(neuron, logits, noise, place).length === 1);
    nodes = nodes.flatMap(({ noise, weight, drawn }) =>
      (idle ? nodesOf('flat', 0, 1, finer) : axisNodes(neuron, logits, noise, place, finer)).map((node) => ({
        noise: [...noise, node.u],
        weight: weight * node.weight,
        drawn: drawn * node.drawn,
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

/** About how many points the grid of a layer has whose units, or groups of units, are by themselves. @param enough it is not counted on from there */
export function estimatePoints(neuron: Neuron, logits: ArrayLike<number>, enough = Number.POSITIVE_INFINITY): number {
  return groupsOf(neuron, logits).reduce((points, group) => {
    const before: number[] = [];
    let nodes = 1;
    while (before.length < group.length * neuron.noise && points * nodes <= enough) {
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
  finer?: Finer,
): AxisNode[] {
  return edgesOf(cutsOf(neuron, logits, before, place)).flatMap(([from, to]) => {
    // A coupled unit that is alone in its row does not show what its noise does to others.
    const shape = neuron.jointNoise && !neuron.group ? 'curved' : shapeOf(neuron, logits, before, [from, to], place);
    return nodesOf(shape, from, to, finer);
  });
}

/** Where the next noise number of a unit or group is cut, after those before it. */
function cutsOf(
  neuron: Neuron,
  logits: readonly number[],
  before: readonly number[],
  place?: Place,
): readonly number[] {
  const index = before.length;
  const cuts = neuron.group
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
  place?: Place,
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

/** The same for the units of one group, unit after unit, of many numbers `u`; cotangents differ between units too. */
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
