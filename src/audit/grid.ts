import type { Neuron, Numbers } from '../neurons/contract.ts';
import { axisNodes, cutsOf, edgesOf, type Finer, hasJointDraws, nodesOf, type UnitPlace } from './axis.ts';

/** One node of the integration over the noise of one unit. */
export interface UnitNode {
  /** The unit's noise numbers: `neuron.noise` of them. */
  readonly noise: readonly number[];
  readonly weight: number;
  /** The weight that it has with the 2²³ numbers that are drawn (`wordToUniform`), in place of all of (0, 1). */
  readonly drawn: number;
}

/** The most points of a product grid: 2⁸ states of binary units, or three units of continuous noise, and room to spare. */
export const MAXIMUM_POINTS = 4_000_000;

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
  options: { places?: readonly UnitPlace[]; finer?: Finer } = {},
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

/** Groups of units by themselves, mostly of one, or the row as one group: the digits of a point's number choose the nodes of the groups. */
function productGrid(
  neuron: Neuron,
  logits: ArrayLike<number>,
  { places, finer }: { places?: readonly UnitPlace[]; finer?: Finer },
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

/** The logits of units that are integrated together: of every unit by itself, of every group, or of a row whose draws are joint. */
function groupsOf(neuron: Neuron, logits: ArrayLike<number>): number[][] {
  const all = Array.from(logits);
  const size = hasJointDraws(neuron) ? Math.max(1, all.length) : (neuron.group ?? 1);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
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
function groupNodes(neuron: Neuron, logits: readonly number[], place?: UnitPlace, finer?: Finer): readonly UnitNode[] {
  let nodes: UnitNode[] = [{ noise: [], weight: 1, drawn: 1 }];
  for (let at = 0; at < logits.length * neuron.noise; at++) {
    const some = nodes.filter((_, i) => i % Math.ceil(nodes.length / SEEN) === 0);
    const isCut = ({ noise }: UnitNode): boolean => edgesOf(cutsOf(neuron, logits, noise, place)).length > 1;
    const idle =
      nodes.length > SEEN &&
      some.every(({ noise }) => axisNodes(neuron, logits, noise, place).length === 1) &&
      // Joint draws may have one choice left after some states, and two after others.
      !(hasJointDraws(neuron) && nodes.some(isCut));
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
