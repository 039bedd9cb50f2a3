/** All states of a layer of one-hot groups: state after state, as draws are. */
import type { Firing } from '../contract.ts';
import { eachGroup } from './one-hot.ts';

/** States of a layer of groups. */
export const statesOf = (units: number, classes: number): number =>
  classes ** Math.floor(units / classes) * Math.max(1, units % classes);

/** Calls f for every state of every row: the place of its loss, the place of a group's first unit, its class, and softmax(a). */
export function eachState(
  firing: Firing,
  classes: number,
  f: (at: number, first: number, chosen: number, p: Float64Array) => void,
): void {
  const { rows, units } = firing;
  const states = statesOf(units, classes);
  eachGroup(firing, classes, (row, first, size, p) => {
    const stride = classes ** Math.floor((first - row * units) / classes);
    for (let state = 0; state < states; state++) f(state * rows + row, first, Math.floor(state / stride) % size, p);
  });
}

/** P(state), one a row and state, state after state. */
export function probabilities(firing: Firing, classes: number): Float64Array {
  const states = statesOf(firing.units, classes);
  const weights = new Float64Array(states * firing.rows).fill(1);
  eachState(firing, classes, (at, _first, chosen, p) => {
    weights[at] *= p[chosen];
  });
  return weights;
}

/** h of every state; groups with a logit that is not finite are NaN. */
export function fireStates(firing: Firing, classes: number): void {
  const { logits, h, rows } = firing;
  h.fill(0);
  eachState(firing, classes, (at, first, chosen, p) => {
    const place = Math.floor(at / rows) * logits.length + first;
    if (p[0] >= 0) h[place + chosen] = 1;
    else h.fill(Number.NaN, place, place + p.length);
  });
}
