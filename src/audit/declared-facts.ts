import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, Numbers } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { type Arrays, firedPass, gradientOf, MOST_NUMBERS, sameBits, unitsOf } from './fired-pass.ts';

/** Factor of losses and cotangents, with the other sign, of the second pass: a rule that clips or reads a sign alone is seen to read them. */
const FAR = 50;

/** Rows that are looked at for what a gradient reads: more where the first have none, as where a gradient is drawn once in a while. */
const READ_ROWS = [30, 1000, 30_000];
/** `reads` */
export function readsAsDeclared(neuron: Neuron): string | undefined {
  const wide = unitsOf(neuron, 60);
  const affords = READ_ROWS[0] * wide * drawsOf(neuron, wide) <= MOST_NUMBERS;
  return (
    readsIn(neuron, unitsOf(neuron, 5), Float64Array) ?? (affords ? readsIn(neuron, wide, Float32Array) : undefined)
  );
}

function readsIn(neuron: Neuron, units: number, Kind: Arrays): string | undefined {
  let pass = firedPass(neuron, READ_ROWS[0], units, { seed: 33, Kind });
  let gradient = gradientOf(neuron, pass);
  for (const rows of READ_ROWS.slice(1)) {
    if (gradient.filter((value) => value !== 0).length >= READ_ROWS[0]) break;
    if (rows * units * drawsOf(neuron, units) > MOST_NUMBERS) break;
    pass = firedPass(neuron, rows, units, { seed: 33, Kind });
    gradient = gradientOf(neuron, pass);
  }
  // Draws differ by more than a constant, which baselines take away.
  const loss = gradientOf(neuron, { ...pass, loss: pass.loss.map((value, i) => 1 + (i % 7) - FAR * value) });
  const cotangent = gradientOf(neuron, { ...pass, dh: pass.dh.map((value) => 1 - FAR * value) });
  const { reads } = neuron;
  const says = `it says that it reads ${reads}, and its gradient`;
  if (!sameBits(gradient, loss) !== (reads === 'loss' || reads === 'both'))
    return `${says} ${sameBits(gradient, loss) ? 'does not depend' : 'depends'} on the loss`;
  if (!sameBits(gradient, cotangent) !== (reads !== 'loss'))
    return `${says} ${sameBits(gradient, cotangent) ? 'does not depend' : 'depends'} on the cotangent`;
  if (reads !== 'cotangent-when-open') return undefined;
  if (gradient.some((value, i) => pass.h[i] === 0 && value !== 0)) return `${says} is not 0 where a unit is closed`;
  const elsewhere = gradientOf(neuron, {
    ...pass,
    dh: pass.dh.map((value, i) => (pass.h[i] === 0 ? 9 - value : value)),
  });
  return gradient.every((value, i) => value === elsewhere[i])
    ? undefined
    : `${says} depends on the cotangent of units that are closed`;
}

/** Least and largest output of each declared range. */
const RANGES = { 'unit-interval': [0, 1], 'non-negative': [0, Number.POSITIVE_INFINITY] } as const;

/** `range` */
export function keepsToRange(neuron: Neuron): string | undefined {
  if (neuron.range === 'real') return undefined;
  const [low, high] = RANGES[neuron.range];
  const { h, logits } = firedPass(neuron, 60, unitsOf(neuron, 7), { seed: 34 });
  const emitted = [...h, ...Array.from(logits).flatMap((logit) => [neuron.expect(logit), neuron.whenOpen(logit)])];
  const outside = emitted.find((value) => !(value >= low && value <= high));
  return outside === undefined ? undefined : `it says that its range is ${neuron.range}, and it emits ${outside}`;
}

/** `jointNoise` and `group` */
export function jointNoiseAsDeclared(learner: Neuron): string | undefined {
  const neuron = behaviourOf(learner);
  if (neuron.jointNoise !== 'units')
    return hangsOnOthers(neuron, 1)
      ? "a unit's h depends on other units, or on their noise, and `jointNoise` does not say so"
      : undefined;
  if (!movesOthers(neuron)) return 'it says `jointNoise`, and no unit is';
  return neuron.group && hangsOnOthers(neuron, neuron.group)
    ? "a unit's h depends on units of other groups than its own"
    : undefined;
}

/** Does a logit that moves change h of another unit? */
function movesOthers(neuron: Neuron): boolean {
  const units = unitsOf(neuron, 6);
  const pass = firedPass(neuron, 1, units, { seed: 35, logit: (normal) => 2 * normal });
  return pass.logits.some((_, moved) => {
    const h = new Float64Array(pass.h.length);
    neuron.fire({ ...pass, logits: pass.logits.map((logit, i) => (i === moved ? logit + 5 : logit)), h });
    return h.some((value, i) => i % units !== moved && value !== pass.h[i]);
  });
}

/** Rows × groups of units of layers in which half of the groups are drawn anew: more rows where groups are few. */
const LAYERS = [
  [40, 2],
  [40, 5],
  [20, 70],
  [4, 300],
] as const;

/**
 * Does h of units change while logits and noise of other groups of so many units are drawn anew? Those are drawn anew whose number has a bit,
 * and then those that have it not, for every bit: of any two groups one is kept, once, while the other changes.
 */
function hangsOnOthers(neuron: Neuron, group: number): boolean {
  return LAYERS.some(([rows, groups]) => {
    const units = groups * group;
    if (units > (neuron.mostUnits ?? units)) return false;
    const [pass, other] = [35, 43].map((seed) => firedPass(neuron, rows, units, { seed }));
    for (let bit = 1; bit < groups; bit *= 2)
      for (const side of [0, bit]) {
        const isNew = (i: number): boolean => (Math.floor((i % units) / group) & bit) === side;
        const mixed = (kept: Numbers, fresh: Numbers, width: number): Numbers =>
          kept.map((value, i) => (isNew(Math.floor(i / width)) ? fresh[i] : value));
        const h = new Float64Array(pass.h.length);
        const noise = mixed(pass.noise, other.noise, neuron.noise);
        neuron.fire({ ...pass, logits: mixed(pass.logits, other.logits, 1), noise, h });
        if (h.some((value, i) => !isNew(i) && !Object.is(value, pass.h[i]))) return true;
      }
    return false;
  });
}

/** Units of the layers whose open units are counted: around powers of two, where shares round differently, and usual layers. */
const OPENED = [1, 2, 3, 5, 8, 10, 16, 33, 64, 100, 256];

/** `opens` */
export function opensAsDeclared(neuron: Neuron): string | undefined {
  const { opens } = neuron;
  if (!opens) return undefined;
  for (const units of OPENED.filter((some) => some <= (neuron.mostUnits ?? some))) {
    const { h } = firedPass(neuron, units > 50 ? 4 : 20, units, { seed: 36 });
    for (let from = 0; from < h.length; from += units) {
      const open = h.subarray(from, from + units).filter((value) => value !== 0).length;
      if (open !== opens(units)) return `it says that it opens ${opens(units)} of ${units} units, and opens ${open}`;
    }
  }
  return undefined;
}
