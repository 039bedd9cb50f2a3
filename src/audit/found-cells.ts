import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { isWholeRow, OTHERS, probe } from './axis.ts';
import { estimatePoints, MAXIMUM_POINTS } from './grid.ts';
import { hasUntoldJointDraws, withSameDraws } from './joint-rows.ts';
import { leanUnit } from './less-noise.ts';
import { scratch } from './scratch.ts';

/**
 * Evenly spaced noise numbers at which a unit is evaluated to find its jumps. USUAL_SCAN is for every logit: cells of over 1/4,096 are found.
 * DENSE_SCAN is for three logits of LOGITS (for one if every jump was declared so far): cells of over 1/131,072; if it finds more than the usual scan,
 * every logit is scanned so.
 */
export const [USUAL_SCAN, DENSE_SCAN] = [2 ** 12, 2 ** 17];
/** Further places near both ends, down to 2⁻⁴¹·⁵: states of probabilities below 1/4,096 have their cells there. */
const ENDS: readonly number[] = Array.from({ length: 80 }, (_, i) => 2 ** -(2 + i / 2));
/** Places that are fired together, as rows of one minibatch: arrays of 32 kB stay in the cache. */
const CHUNK = 4096;
/** Halvings of an interval after which what still differs is a jump: of an interval of 1/4,096 less than the spacing of Float64 numbers is left. */
const HALVINGS = 44;
/** Largest difference of two values that is taken for rounding, relative to the larger, or absolute where both are under 1. */
const ROUNDING = 1e-6;
/** What is 0 on one side and more than this on the other is a jump: whether a unit is open hangs on it. What goes through 0 is below it. */
const OPEN = 1e-10;
/** An interval is halved only if its difference is over so many times that of an interval beside it: a smooth function has like neighbours. */
const STEEP = 4;
/** Most jumps along one noise number: with more, sampling has to decide. */
const MOST_CUTS = 200;

const differ = (a: readonly number[], b: readonly number[]): boolean =>
  a.some(
    (value, i) =>
      Math.abs(value - b[i]) > ROUNDING * Math.max(1, Math.abs(value), Math.abs(b[i])) ||
      ((value === 0 || b[i] === 0) && Math.abs(value - b[i]) > OPEN),
  );

const distance = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const placesBy = new Map<number, Float64Array>();

/** So many places in (0, 1) in order, and those near the ends. */
function placesOf(count: number): Float64Array {
  const known = placesBy.get(count);
  if (known) return known;
  const even = Array.from({ length: count }, (_, i) => (i + 0.5) / count);
  const places = Float64Array.from([...ENDS, ...even, ...ENDS.filter((u) => u > 2 ** -31).map((u) => 1 - u)]).sort();
  placesBy.set(count, places);
  return places;
}

/**
 * Where h or the gradient of a single unit jumps as a function of its next noise number: what `cells` should hold. The number is looked at
 * in so many places, and jumps between two of them are found by halving. Kinks of h are found where the gradient has its slope in it.
 */
export function findCells(neuron: Neuron, logit: number, before: readonly number[], scan = USUAL_SCAN): number[] {
  const last = before.length + 1 === neuron.noise;
  const cuts = (last ? OTHERS.slice(1, 2) : OTHERS).flatMap((other) => jumps(neuron, logit, before, other, scan));
  cuts.sort((a, b) => a - b);
  return cuts.filter((cut, i) => i === 0 || cut - cuts[i - 1] > 1e-12);
}

function jumps(neuron: Neuron, logit: number, before: readonly number[], other: number, scan: number): number[] {
  const places = placesOf(scan);
  const width = drawsOf(neuron, 1) + 1;
  const values = valuesAt(neuron, logit, before, other, places);
  /** How far two places are apart: the largest difference of h or gradient. */
  const step = scratch('steps of a scan', places.length, Float64Array).fill(0);
  for (let i = 1; i < places.length; i++)
    for (let k = 0; k < width; k++) {
      const [x, y] = [values[(i - 1) * width + k], values[i * width + k]];
      if (x === y) continue;
      const off = Math.abs(x - y);
      const told =
        off > ROUNDING * Math.max(1, Math.abs(x), Math.abs(y)) ||
        ((x === 0 || y === 0) && off > OPEN) ||
        Number.isNaN(off);
      if (told) step[i] = Math.max(step[i], off);
    }
  const at = (u: number): number[] => probe(neuron, logit, before, u, other);
  const found: number[] = [];
  for (let i = 1; i < places.length && found.length < MOST_CUTS; i++) {
    // A smooth function's differences are like those beside them; of a bump narrower than the interval both sides are steep.
    const beside = Math.min(i > 1 ? step[i - 1] : 0, i + 1 < places.length ? step[i + 1] : 0);
    if (step[i] === 0 || step[i] <= STEEP * beside) continue;
    const row = (k: number): number[] => Array.from(values.subarray(k * width, (k + 1) * width));
    const cut = jumpBetween(at, places[i - 1], places[i], row(i - 1), row(i));
    if (cut !== undefined) found.push(cut);
  }
  return found;
}

/** h of every draw and the gradient at every place, place after place. */
function valuesAt(
  neuron: Neuron,
  logit: number,
  before: readonly number[],
  other: number,
  places: Float64Array,
): Float64Array {
  const draws = drawsOf(neuron, 1);
  const out = scratch('values of a scan', places.length * (draws + 1), Float64Array);
  const state = startingState(neuron, 1);
  for (let from = 0; from < places.length; from += CHUNK) {
    const rows = Math.min(CHUNK, places.length - from);
    const noise = new Float64Array(rows * neuron.noise).fill(other);
    for (let row = 0; row < rows; row++) {
      noise.set(before, row * neuron.noise);
      noise[row * neuron.noise + before.length] = places[from + row];
    }
    const h = new Float64Array(draws * rows);
    const firing = { rows, units: 1, logits: new Float64Array(rows).fill(logit), noise, h, state };
    neuron.fire(firing);
    const [loss, dh] = [new Float64Array(draws * rows), new Float64Array(draws * rows)];
    for (let draw = 0; draw < draws; draw++) {
      loss.fill(1.3 + 0.7 * draw, draw * rows, (draw + 1) * rows);
      dh.fill(0.9 - 0.4 * draw, draw * rows, (draw + 1) * rows);
    }
    const gradient = new Float64Array(rows);
    neuron.pullback({ ...firing, loss, dh, gradient });
    for (let row = 0; row < rows; row++) {
      const to = (from + row) * (draws + 1);
      for (let draw = 0; draw < draws; draw++) out[to + draw] = h[draw * rows + row];
      out[to + draws] = gradient[row];
    }
  }
  return out;
}

function jumpBetween(
  at: (u: number) => number[],
  from: number,
  to: number,
  atFrom: readonly number[],
  atTo: readonly number[],
): number | undefined {
  let [low, high, lowValue, highValue] = [from, to, atFrom, atTo];
  for (let i = 0; i < HALVINGS; i++) {
    if (!differ(lowValue, highValue)) return undefined;
    const middle = (low + high) / 2;
    const value = at(middle);
    // Into the half with the larger difference: a continuous function's shrinks with the interval.
    if (distance(lowValue, value) > distance(value, highValue)) [high, highValue] = [middle, value];
    else [low, lowValue] = [middle, value];
  }
  return (low + high) / 2;
}

/** How the cells of a neuron are known. */
export interface Cells {
  /** The neuron, the jumps that it does not declare in its `cells`. */
  readonly neuron: Neuron;
  /** 0 where it declares all that were found; else the widest feature of the noise that a search may have missed. */
  readonly resolution: number;
  /** Has a noise number more jumps than are found? Then no grid is right. */
  readonly countless?: true;
}

const known = new WeakMap<Neuron, Cells>();

/**
 * The neuron with the jumps in its `cells` that it does not declare, so that it can be integrated; the neuron itself where there
 * are none, or its units are coupled. Of draws that are joint over a row the cells are those of one draw, for the true gradient alone. A dense
 * search at a few logits says how dense the search at others has to be.
 */
export function cellsOf(neuron: Neuron): Cells {
  const before = known.get(neuron);
  if (before) return before;
  const cells = searched(neuron);
  known.set(neuron, cells);
  return cells;
}

/** Logits at which a neuron's jumps are first looked for: likely, unlikely, and neither; none is 0, where symmetry hides jumps. */
const LOGITS = [-9.3, -3, -0.4, 0.7, 2.1, 6.2];

function searched(neuron: Neuron): Cells {
  if (neuron.jointNoise || isWholeRow(neuron) || neuron.noise === 0) return { neuron, resolution: 0 };
  // A single draw that hangs on others is no draw of units by themselves: another check refutes it.
  if (drawsOf(neuron, 1) > 1 && hasUntoldJointDraws(neuron)) {
    const { neuron: unit, ...found } = cellsOf(behaviourOf(neuron));
    return { ...found, neuron: withSameDraws(neuron, { ...neuron, ...(unit.cells && { cells: unit.cells }) }) };
  }
  // Of so many draws the grid is too large anyway.
  if (neuron.noise * drawsOf(neuron, 1) > MOST_WORK) return { neuron, resolution: 0 };
  // No grid over all noise numbers is small enough, whatever is found: the cells of the behaviour are wanted alone, for the true gradient.
  const lean = leanUnit(neuron);
  if (
    neuron.noise > MOST_NUMBERS &&
    lean.noise < neuron.noise &&
    estimatePoints(neuron, [0.7], MAXIMUM_POINTS) > MAXIMUM_POINTS
  ) {
    const { neuron: unit, ...found } = cellsOf(lean);
    return { ...found, neuron: { ...neuron, ...(unit.cells && { cells: unit.cells }) } };
  }
  const scan: Scan = { all: true, dense: false, countless: false };
  // Draws may jump where a single one does not, and the other way round.
  const subjects = neuron.sample ? [neuron, behaviourOf(neuron)] : [neuron];
  const lookAt = (logit: number, places: number): void => {
    for (const one of subjects) look(one, logit, places, scan);
  };
  for (const logit of LOGITS) lookAt(logit, USUAL_SCAN);
  const dense = drawsOf(neuron, 1) * neuron.noise > 2 ? DENSE_SCAN / 8 : DENSE_SCAN;
  for (const logit of scan.all ? LOGITS.slice(3, 4) : LOGITS.slice(2, 5)) lookAt(logit, dense);
  if (scan.all) return { neuron, resolution: 0 };
  const places = scan.dense ? DENSE_SCAN : USUAL_SCAN;
  const cuts = new Map<string, number[]>();
  return {
    resolution: 1 / places,
    ...(scan.countless && { countless: true }),
    neuron: {
      ...neuron,
      cells(logit, index, before, place) {
        const key = [logit, ...before].join();
        const given = cuts.get(key) ?? [
          ...subjects.flatMap((one) => findCells(one, logit, before, places)),
          ...(neuron.cells?.(logit, index, before, place) ?? []),
        ];
        if (cuts.size > 4000) cuts.clear();
        cuts.set(key, given);
        return given;
      },
    },
  };
}

/** What was seen of the jumps so far: are all declared, do only dense places show some, are there more than are found? */
interface Scan {
  all: boolean;
  dense: boolean;
  countless: boolean;
}

/** Are all jumps of every noise number, along one way through them, among the declared cells; and do the usual places show them? */
function look(neuron: Neuron, logit: number, places: number, scan: Scan): void {
  const before: number[] = [];
  const most = Math.min(neuron.noise, MOST_NUMBERS);
  for (let index = 0; index < most; index++) {
    const declared = neuron.cells?.(logit, index, before) ?? [];
    const found = findCells(neuron, logit, before, places);
    if (found.length >= MOST_CUTS) scan.countless = true;
    const isTold = (cut: number): boolean =>
      declared.some((one) => Math.abs(one - cut) < 1e-6) || movesNext(neuron, logit, before, cut);
    if (!found.every(isTold)) {
      scan.all = false;
      if (places > USUAL_SCAN && findCells(neuron, logit, before).length < found.length) scan.dense = true;
    }
    before.push(0.37);
  }
}

/** Distance from a jump at which both of its sides are evaluated: over the error of a jump that is found (under 1e-13), under the width of a cell that is found. */
const BESIDE = 1e-9;

/** Does the output jump there because a declared cut of the next noise number, which is held, comes past it? Its integral does not. */
function movesNext(neuron: Neuron, logit: number, before: readonly number[], cut: number): boolean {
  const next = before.length + 1;
  if (next >= neuron.noise || !neuron.cells) return false;
  const [low, high] = [-BESIDE, BESIDE].map((off) => neuron.cells?.(logit, next, [...before, cut + off]) ?? []);
  return OTHERS.some((other) => low.filter((x) => x < other).length !== high.filter((x) => x < other).length);
}

/** Most noise numbers × draws of a unit that is searched; the product grid of more has too many points to be integrated. */
const MOST_WORK = 64;
/** Noise numbers of a unit that are searched, from the first; the rest of them are left to sampling. */
const MOST_NUMBERS = 3;

export const withFoundCells = (neuron: Neuron): Neuron => cellsOf(neuron).neuron;
