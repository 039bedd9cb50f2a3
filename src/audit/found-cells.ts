import type { Neuron } from '../neurons/contract.ts';
import { OTHERS, probe } from './grid.ts';

/** Where a unit's noise is looked at: evenly, and closer and closer to both ends, where cells of unlikely states are. */
const PLACES: readonly number[] = [
  ...Array.from({ length: 63 }, (_, i) => (i + 1) / 64),
  ...Array.from({ length: 20 }, (_, i) => 2 ** -(i + 7)),
  ...Array.from({ length: 20 }, (_, i) => 1 - 2 ** -(i + 7)),
].sort((a, b) => a - b);
/** Halvings after which what still differs is a jump: an interval of 1e-13. */
const HALVINGS = 40;
/** A difference that is none, relative to the values over 1. */
const ROUNDING = 1e-6;
/** What is 0 on one side and more than this on the other is a jump: whether a unit is open hangs on it. What goes through 0 is below it. */
const OPEN = 1e-10;

const differ = (a: readonly number[], b: readonly number[]): boolean =>
  a.some(
    (value, i) =>
      Math.abs(value - b[i]) > ROUNDING * Math.max(1, Math.abs(value), Math.abs(b[i])) ||
      ((value === 0 || b[i] === 0) && Math.abs(value - b[i]) > OPEN),
  );

/**
 * Where h or the gradient of a single unit jumps as a function of its next noise number, found by halving: what `cells` should
 * hold. Kinks of h are found where the gradient has its slope in it.
 */
export function findCells(neuron: Neuron, logit: number, before: readonly number[]): number[] {
  const cuts = OTHERS.flatMap((other) => {
    const at = (u: number) => probe(neuron, logit, before, u, other);
    const values = PLACES.map(at);
    return PLACES.slice(1).flatMap((to, i) => jumpBetween(at, PLACES[i], to, values[i], values[i + 1]) ?? []);
  }).sort((a, b) => a - b);
  return cuts.filter((cut, i) => i === 0 || cut - cuts[i - 1] > 1e-9);
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

const distance = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

/**
 * The neuron with the jumps in its `cells` that it does not declare, so that it can be integrated; the neuron itself where there
 * are none, or its units are coupled.
 */
export function withFoundCells(neuron: Neuron): Neuron {
  if (neuron.couples || [-3, -0.4, 0.7, 2.1].every((logit) => declaresAll(neuron, logit))) return neuron;
  const known = new Map<string, number[]>();
  return {
    ...neuron,
    cells(logit, index, before) {
      const key = [logit, ...before].join();
      const cuts = known.get(key) ?? [
        ...findCells(neuron, logit, before),
        ...(neuron.cells?.(logit, index, before) ?? []),
      ];
      known.set(key, cuts);
      return cuts;
    },
  };
}

/** Are all jumps of every noise number, along one way through them, among the declared cells? */
function declaresAll(neuron: Neuron, logit: number): boolean {
  const before: number[] = [];
  for (let index = 0; index < neuron.noise; index++) {
    const declared = neuron.cells?.(logit, index, before) ?? [];
    const found = findCells(neuron, logit, before);
    if (found.some((cut) => !declared.some((known) => Math.abs(known - cut) < 1e-6))) return false;
    before.push(0.37);
  }
  return true;
}
