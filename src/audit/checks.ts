import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, NeuronState, Numbers, Pullback } from '../neurons/contract.ts';
import { formulaMisfit } from '../neurons/parts/formula-misfit.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { isIdentity, opensWithProbability, scalesLearning, weighsByDerivative } from './fact-checks.ts';
import { sameAgain } from './replay.ts';
import type { Verdict } from './verdict.ts';

/** What every neuron has to do, whatever it claims. */
type Check = (neuron: Neuron) => string | undefined;

/** Every check by its name: it gives a sentence that says what is wrong, or nothing. */
const checks: Readonly<Record<string, Check>> = {
  'same input, same output': (neuron) => repeatable(neuron) ?? sameAgain(neuron),
  'same update, same state': updatesAlike,
  'examples by themselves': byExample,
  reads: readsAsDeclared,
  range: keepsToRange,
  jointNoise: jointNoiseAsDeclared,
  opens: opensAsDeclared,
  'extreme logits': survivesExtremes,
  'NaN and infinity': showsBroken,
  opening: opensWithProbability,
  weigh: weighsByDerivative,
  identity: isIdentity,
  learningRateScale: scalesLearning,
  formulas: (neuron) => (neuron.formulas === 'none' ? undefined : formulaMisfit(neuron)),
};

/** First words of the paths of the streams of firings and of states: the words "pass" and "sttl" in ASCII. */
const PASS = 0x70617373;
const LIVED = 0x7374746c;

/** Runs every check on a neuron. */
export function checkNeuron(neuron: Neuron): Verdict[] {
  return Object.entries(checks).map(([claim, check]): Verdict => {
    try {
      const wrong = check(neuron);
      return { claim, verdict: wrong === undefined ? 'holds' : 'refuted', evidence: wrong ?? 'as it has to be' };
    } catch (error) {
      return { claim, verdict: 'refuted', evidence: `it threw: ${(error as Error).message}` };
    }
  });
}

type Arrays = Float64ArrayConstructor | Float32ArrayConstructor;

interface Inputs {
  readonly seed: number;
  /** The logit of a normal number; default: every other one is far from 0. */
  readonly logit?: (normal: number, i: number) => number;
  /** Default Float64. */
  readonly Kind?: Arrays;
}

const nearAndFar = (normal: number, i: number): number => (i % 2 === 0 ? 2 : 7) * normal;

/** A layer that has fired, with losses and cotangents drawn; nothing is pulled back yet. */
function passOf(
  neuron: Neuron,
  rows: number,
  units: number,
  { seed, logit = nearAndFar, Kind = Float64Array }: Inputs,
) {
  const random = randomStream(seed, PASS);
  const draws = drawsOf(neuron, units);
  const array = (length: number, draw: (i: number) => number): Numbers => {
    const values = new Kind(length);
    for (let i = 0; i < length; i++) values[i] = draw(i);
    return values;
  };
  const logits = array(rows * units, (i) => logit(random.normal(), i));
  const noise = array(rows * units * neuron.noise, random.uniform);
  const h = new Kind(draws * rows * units);
  const state = livedState(neuron, units, seed);
  const firing = { rows, units, logits, noise, h, state };
  neuron.fire(firing);
  const loss = array(draws * rows, () => 3 * random.normal());
  const dh = array(h.length, random.normal);
  return { ...firing, loss, dh, gradient: new Kind(rows * units) };
}

/** Some state other than the one it starts with, where control variates may weigh nothing. */
function livedState(neuron: Neuron, units: number, seed: number): NeuronState {
  return Object.fromEntries(
    Object.entries(startingState(neuron, units)).map(([name, start], i) => {
      const random = randomStream(seed, LIVED, i);
      return [name, start.map(() => 0.1 + random.uniform())];
    }),
  );
}

type Pass = ReturnType<typeof passOf>;

function gradientOf(neuron: Neuron, pass: Pullback): Numbers {
  const gradient = pass.gradient.slice().fill(Number.NaN);
  neuron.pullback({ ...pass, gradient });
  return gradient;
}

/** How often the same has to come of the same. */
const REPEATS = 4;

const sameBits = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));

/** So many units, or more, so that two are open where a rule fixes how many are; at most as many as a layer may have. */
function unitsOf({ opens, mostUnits = Number.POSITIVE_INFINITY }: Neuron, least: number): number {
  let units = Math.min(least, mostUnits);
  while (opens && opens(units) < 2 && units < mostUnits) units++;
  return units;
}

function repeatable(neuron: Neuron): string | undefined {
  const units = unitsOf(neuron, 5);
  const pass = passOf(neuron, 7, units, { seed: 31 });
  const inputs = [pass.logits, pass.noise, pass.loss, pass.dh];
  const before = inputs.map((array) => array.slice());
  const h = new Float64Array(pass.h.length).fill(Number.NaN);
  neuron.fire({ ...pass, h });
  if (!sameBits(h, pass.h)) return '`fire` gives another h for the same logits and noise, or leaves some of it unset';
  const [first, ...again] = Array.from({ length: REPEATS }, () => gradientOf(neuron, pass));
  if (Object.entries(livedState(neuron, units, 31)).some(([name, start]) => !sameBits(start, pass.state[name])))
    return '`fire` or `pullback` changes the state, and only `update` may';
  if (!again.every((other) => sameBits(first, other))) return '`pullback` gives another gradient for the same pass';
  if (first.some(Number.isNaN)) return '`pullback` leaves a gradient unset, or NaN';
  return inputs.every((array, i) => sameBits(array, before[i])) ? undefined : 'it changes its input arrays';
}

function updatesAlike(neuron: Neuron): string | undefined {
  if (!neuron.update) return undefined;
  const pass = passOf(neuron, 7, unitsOf(neuron, 5), { seed: 39 });
  const inputs = [pass.logits, pass.noise, pass.h, pass.loss, pass.dh];
  const before = inputs.map((array) => array.slice());
  const copy = (): NeuronState =>
    Object.fromEntries(Object.entries(pass.state).map(([name, values]) => [name, values.slice()]));
  const states = Array.from({ length: REPEATS }, copy);
  for (const state of states) neuron.update({ ...pass, state });
  const [first, ...others] = states.map((state) => Object.values(state));
  if (!others.every((other) => first.every((values, i) => sameBits(values, other[i]))))
    return '`update` makes another state of the same one';
  return inputs.every((array, i) => sameBits(array, before[i])) ? undefined : '`update` changes its input arrays';
}

/** Minibatches that examples are taken out of, by the units of the layer: of all usual sizes, since a rule may hang on one of them. */
const MINIBATCHES = [
  { units: 5, sizes: [2, 7, 130, 1000] },
  { units: 2, sizes: [8, 10, 16, 20, 25, 32, 50, 100, 128, 200, 250, 256, 500, 512, 1024, 2048] },
  { units: 1, sizes: [7, 64] },
  { units: 40, sizes: [20, 64] },
  { units: 130, sizes: [20] },
];
/** Examples that are taken out of a minibatch: all of it, or so many that are drawn, the first and the last among them. */
const MOST_EXAMPLES = 64;

function byExample(neuron: Neuron): string | undefined {
  for (const { units: least, sizes } of MINIBATCHES)
    for (const [i, rows] of sizes.entries()) {
      const units = unitsOf(neuron, least);
      if (rows * units * drawsOf(neuron, units) > MOST_NUMBERS) continue;
      const wrong = byExampleOf(neuron, rows, units, i % 2 === 0 ? Float64Array : Float32Array);
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}

function byExampleOf(neuron: Neuron, rows: number, units: number, Kind: Arrays): string | undefined {
  const pass = passOf(neuron, rows, units, { seed: 32, Kind });
  const all = gradientOf(neuron, pass);
  const draws = drawsOf(neuron, units);
  for (const row of examplesOf(rows)) {
    const part = (values: Numbers, width: number, layers = 1): Numbers => {
      const own = values.slice(0, layers * width);
      for (let i = 0; i < own.length; i++) own[i] = values[(Math.floor(i / width) * rows + row) * width + (i % width)];
      return own;
    };
    const alone: Pass = {
      rows: 1,
      units,
      logits: part(pass.logits, units),
      noise: part(pass.noise, units * neuron.noise),
      h: new Kind(draws * units),
      loss: part(pass.loss, 1, draws),
      dh: part(pass.dh, units, draws),
      state: pass.state,
      gradient: new Kind(units),
    };
    neuron.fire(alone);
    if (!sameBits(alone.h, part(pass.h, units, draws)))
      return `h of an example depends on the others of its minibatch, of ${rows} rows`;
    if (!sameBits(gradientOf(neuron, alone), part(all, units)))
      return `the gradient of an example depends on the others of its minibatch, of ${rows} rows`;
  }
  return undefined;
}

function examplesOf(rows: number): Iterable<number> {
  if (rows <= MOST_EXAMPLES) return Array(rows).keys();
  const random = randomStream(rows, PASS, 1);
  return new Set([0, rows - 1, ...Array.from({ length: MOST_EXAMPLES - 2 }, () => random.integer(rows))]);
}

/** Losses and cotangents are looked at so many times as far from 0 too, on its other side. */
const FAR = 50;

/** Rows that are looked at for what a gradient reads: more where the first have none, as where a gradient is drawn once in a while. */
const READ_ROWS = [30, 1000, 30_000];

/** Numbers of the outputs of a pass. */
const MOST_NUMBERS = 1_000_000;

function readsAsDeclared(neuron: Neuron): string | undefined {
  const wide = unitsOf(neuron, 60);
  const affords = READ_ROWS[0] * wide * drawsOf(neuron, wide) <= MOST_NUMBERS;
  return (
    readsIn(neuron, unitsOf(neuron, 5), Float64Array) ?? (affords ? readsIn(neuron, wide, Float32Array) : undefined)
  );
}

function readsIn(neuron: Neuron, units: number, Kind: Arrays): string | undefined {
  let pass = passOf(neuron, READ_ROWS[0], units, { seed: 33, Kind });
  let gradient = gradientOf(neuron, pass);
  for (const rows of READ_ROWS.slice(1)) {
    if (gradient.filter((value) => value !== 0).length >= READ_ROWS[0]) break;
    if (rows * units * drawsOf(neuron, units) > MOST_NUMBERS) break;
    pass = passOf(neuron, rows, units, { seed: 33, Kind });
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

const RANGES = { 'unit-interval': [0, 1], 'non-negative': [0, Number.POSITIVE_INFINITY] } as const;

function keepsToRange(neuron: Neuron): string | undefined {
  if (neuron.range === 'real') return undefined;
  const [low, high] = RANGES[neuron.range];
  const { h, logits } = passOf(neuron, 60, unitsOf(neuron, 7), { seed: 34 });
  const emitted = [...h, ...Array.from(logits).flatMap((logit) => [neuron.expect(logit), neuron.whenOpen(logit)])];
  const outside = emitted.find((value) => !(value >= low && value <= high));
  return outside === undefined ? undefined : `it says that its range is ${neuron.range}, and it emits ${outside}`;
}

function jointNoiseAsDeclared(learner: Neuron): string | undefined {
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
  const pass = passOf(neuron, 1, units, { seed: 35, logit: (normal) => 2 * normal });
  return pass.logits.some((_, moved) => {
    const h = new Float64Array(pass.h.length);
    neuron.fire({ ...pass, logits: pass.logits.map((logit, i) => (i === moved ? logit + 5 : logit)), h });
    return h.some((value, i) => i % units !== moved && value !== pass.h[i]);
  });
}

/** Rows × groups of units of which half are drawn anew. */
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
    const [pass, other] = [35, 43].map((seed) => passOf(neuron, rows, units, { seed }));
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

/** Units of the layers whose open units are counted. */
const OPENED = [1, 2, 3, 5, 8, 10, 16, 33, 64, 100, 256];

function opensAsDeclared(neuron: Neuron): string | undefined {
  const { opens } = neuron;
  if (!opens) return undefined;
  for (const units of OPENED.filter((some) => some <= (neuron.mostUnits ?? some))) {
    const { h } = passOf(neuron, units > 50 ? 4 : 20, units, { seed: 36 });
    for (let from = 0; from < h.length; from += units) {
      const open = h.subarray(from, from + units).filter((value) => value !== 0).length;
      if (open !== opens(units)) return `it says that it opens ${opens(units)} of ${units} units, and opens ${open}`;
    }
  }
  return undefined;
}

/** Minibatches of extreme logits that a state has to bear. */
const UPDATES = 50;
const EXTREMES = [50, -50, 1e4, -1e4, 0, 87, -87, 104, -104, 700, -700];

function survivesExtremes(neuron: Neuron): string | undefined {
  let next = 0;
  const logit = (): number => EXTREMES[next++ % EXTREMES.length];
  const pass = passOf(neuron, 2 * EXTREMES.length, Math.min(3, neuron.mostUnits ?? 3), { seed: 37, logit });
  const broken = (what: string, values: ArrayLike<number>): string | undefined => {
    const at = Array.from(values).findIndex((value) => !Number.isFinite(value));
    return at < 0 ? undefined : `${what} is ${values[at]} at the logit ${pass.logits[at % pass.logits.length]}`;
  };
  const fixed = [neuron.expect, neuron.whenOpen].map((f) => pass.logits.map((logit) => f(logit)));
  const wrong =
    broken('h', pass.h) ??
    broken('the gradient', gradientOf(neuron, pass)) ??
    broken('`expect`', fixed[0]) ??
    broken('`whenOpen`', fixed[1]);
  if (wrong !== undefined) return wrong;
  for (let step = 0; step < UPDATES; step++) neuron.update?.(pass);
  if (!Object.values(pass.state).every((values) => values.every(Number.isFinite)))
    return `the state is not finite after updates on logits among ${EXTREMES.join(', ')}`;
  const later = broken('the gradient', gradientOf(neuron, pass));
  return later && `${later}, after updates on logits among ${EXTREMES.join(', ')}`;
}

function showsBroken(neuron: Neuron): string | undefined {
  const units = Math.min(3, neuron.mostUnits ?? 3);
  for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const seen = ({ h, logits }: Pass): boolean => !h.subarray(0, logits.length).every(Number.isFinite);
    if (!seen(passOf(neuron, 1, 1, { seed: 38, logit: () => broken })))
      return `a logit of ${broken} gives an h that is finite, so that it would go unseen; expected that \`fire\` sets h to NaN where the logit is not finite, as \`fireEach\` does`;
    if (!seen(passOf(neuron, 1, units, { seed: 38, logit: (x, i) => (i === 0 || x > 0 ? broken : x) })))
      return `a logit of ${broken} beside others leaves all h finite; expected that \`fire\` sets h of that unit (or of all that depend on it) to NaN`;
  }
  return undefined;
}
