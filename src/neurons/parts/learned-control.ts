import type { NeuronState, Numbers, StateSpec } from '../contract.ts';

/** Of Adam (Kingma, Ba 2015). */
const [RATE, FIRST, SECOND, EPSILON] = [0.01, 0.9, 0.999, 1e-8];

/**
 * State of a learned function r(z) = vᵀ·tanh(W·z + b) of a row of numbers, with `hidden` hidden units, and a factor η, both trained by
 * Adam: `learned` holds W (hidden × numbers), b, v (hidden each) and η. W starts at small numbers that differ, r at 0, η at 1.
 * @param of how many numbers the row has; default: one a unit
 */
export function learnedState(
  hidden: number,
  of: (units: number, inputs: number) => number = (units) => units,
): Readonly<Record<string, StateSpec>> {
  const size = (units: number, inputs: number): number => hidden * (of(units, inputs) + 2) + 1;
  const start = (index: number, units: number, inputs: number): number => {
    if (index === size(units, inputs) - 1) return 1;
    const width = of(units, inputs);
    return index < hidden * width ? (2 * ((0.618034 * (index + 1)) % 1) - 1) / Math.sqrt(width) : 0;
  };
  return {
    learned: { size, start },
    first: { size, start: () => 0 },
    second: { size, start: () => 0 },
    steps: { size: () => 1, start: () => 0 },
  };
}

/** Hidden units of the function that a state holds. */
const hiddenUnits = (learned: Numbers, units: number): number => (learned.length - 1) / (units + 2);

/** η of the state. */
export const factorOf = ({ learned }: NeuronState): number => learned[learned.length - 1];

/** tanh(W·z + b) of a row. */
function hiddenOf(learned: Numbers, z: Numbers): Float64Array {
  const units = z.length;
  const hidden = new Float64Array(hiddenUnits(learned, units));
  for (let k = 0; k < hidden.length; k++) {
    let sum = learned[hidden.length * units + k];
    for (let i = 0, at = k * units; i < units; i++, at++) sum += learned[at] * z[i];
    hidden[k] = Math.tanh(sum);
  }
  return hidden;
}

/** vᵀ·tanh(W·z + b) of what `hiddenOf` gives. */
function outputOf(learned: Numbers, hidden: Float64Array): number {
  const from = learned.length - 1 - hidden.length;
  let value = 0;
  for (let k = 0; k < hidden.length; k++) value += learned[from + k] * hidden[k];
  return value;
}

/** r(z) of a row. */
export const learnedValue = ({ learned }: NeuronState, z: Numbers): number => outputOf(learned, hiddenOf(learned, z));

/** Adds to `gradient` that of alpha(r(z))·r(z) at the weights, alpha(r(z)) held fixed. @returns r(z) */
export function addValueGradient(
  { learned }: NeuronState,
  z: Numbers,
  alpha: (value: number) => number,
  gradient: Float64Array,
): number {
  const hidden = hiddenOf(learned, z);
  const value = outputOf(learned, hidden);
  const factor = alpha(value);
  const [width, count] = [z.length, hidden.length];
  for (let k = 0; k < count; k++) {
    const out = count * (width + 1) + k;
    const inner = factor * learned[out] * (1 - hidden[k] ** 2);
    for (let i = 0, at = k * width; i < width; i++, at++) gradient[at] += inner * z[i];
    gradient[count * width + k] += inner;
    gradient[out] += factor * hidden[k];
  }
  return value;
}

/** r(z) of a row, and ∂r/∂z (units); z stands for whatever the row holds. */
export function learnedControl({ learned }: NeuronState, z: Float64Array): { value: number; slope: Float64Array } {
  const units = z.length;
  const slope = new Float64Array(units);
  let value = 0;
  hiddenOf(learned, z).forEach((t, k, { length }) => {
    const v = learned[length * (units + 1) + k];
    value += v * t;
    const factor = v * (1 - t * t);
    for (let i = 0, at = k * units; i < units; i++, at++) slope[i] += factor * learned[at];
  });
  return { value, slope };
}

/** Adds to `gradient` that of alpha·r(z) + q·∂r/∂z at the weights, q one number a unit. */
export function addControlGradient(
  { learned }: NeuronState,
  z: Float64Array,
  alpha: number,
  q: Float64Array,
  gradient: Float64Array,
): void {
  const units = z.length;
  hiddenOf(learned, z).forEach((t, k, { length }) => {
    const out = length * (units + 1) + k;
    const slope = 1 - t * t;
    let along = 0;
    for (let i = 0, at = k * units; i < units; i++, at++) along += learned[at] * q[i];
    const inner = learned[out] * slope * (alpha - 2 * t * along);
    const straight = learned[out] * slope;
    for (let i = 0, at = k * units; i < units; i++, at++) gradient[at] += inner * z[i] + straight * q[i];
    gradient[length * units + k] += inner;
    gradient[out] += alpha * t + slope * along;
  });
}

/** One step of Adam. */
export function descend({ learned, first, second, steps }: NeuronState, gradient: Float64Array): void {
  steps[0]++;
  const [biasFirst, biasSecond] = [1 - FIRST ** steps[0], 1 - SECOND ** steps[0]];
  for (let i = 0; i < learned.length; i++) {
    first[i] = FIRST * first[i] + (1 - FIRST) * gradient[i];
    second[i] = SECOND * second[i] + (1 - SECOND) * gradient[i] ** 2;
    learned[i] -= (RATE * first[i]) / biasFirst / (Math.sqrt(second[i] / biasSecond) + EPSILON);
  }
}
