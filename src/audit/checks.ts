import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, NeuronState, Pullback } from '../neurons/contract.ts';
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

/** A layer that has fired, with losses and cotangents drawn; nothing is pulled back yet. */
function passOf(neuron: Neuron, rows: number, units: number, seed: number, logit = (normal: number) => 2 * normal) {
  const random = randomStream(seed, PASS);
  const draws = drawsOf(neuron, units);
  const array = (length: number, draw: () => number): Float64Array => Float64Array.from({ length }, draw);
  const logits = array(rows * units, () => logit(random.normal()));
  const noise = array(rows * units * neuron.noise, random.uniform);
  const h = new Float64Array(draws * rows * units);
  const state = livedState(neuron, units, seed);
  const firing = { rows, units, logits, noise, h, state };
  neuron.fire(firing);
  const loss = array(draws * rows, () => 3 * random.normal());
  const dh = array(h.length, random.normal);
  return { ...firing, loss, dh, gradient: new Float64Array(rows * units) };
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

function gradientOf(neuron: Neuron, pass: Pullback): Float64Array {
  const gradient = new Float64Array(pass.gradient.length).fill(Number.NaN);
  neuron.pullback({ ...pass, gradient });
  return gradient;
}

/** How often the same has to come of the same. */
const REPEATS = 4;

const sameBits = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));

const unitsOf = ({ opens }: Neuron, least: number): number => {
  let units = least;
  while (opens && opens(units) < 2) units++;
  return units;
};

function repeatable(neuron: Neuron): string | undefined {
  const units = unitsOf(neuron, 5);
  const pass = passOf(neuron, 7, units, 31);
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
  const pass = passOf(neuron, 7, unitsOf(neuron, 5), 39);
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

/** Rows of the minibatches that examples are taken out of. */
const MINIBATCHES = [2, 7, 130, 1000];

function byExample(neuron: Neuron): string | undefined {
  for (const rows of MINIBATCHES) {
    const wrong = byExampleOf(neuron, rows);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function byExampleOf(neuron: Neuron, rows: number): string | undefined {
  const units = unitsOf(neuron, 5);
  const pass = passOf(neuron, rows, units, 32);
  const all = gradientOf(neuron, pass);
  const draws = drawsOf(neuron, units);
  for (const row of new Set([0, 1, rows >> 1, Math.floor(0.6 * rows), rows - 1])) {
    const part = (values: Float64Array, width: number, layers = 1): Float64Array =>
      Float64Array.from({ length: layers * width }, (_, i) => {
        return values[(Math.floor(i / width) * rows + row) * width + (i % width)];
      });
    const alone: Pass = {
      rows: 1,
      units,
      logits: part(pass.logits, units),
      noise: part(pass.noise, units * neuron.noise),
      h: new Float64Array(draws * units),
      loss: part(pass.loss, 1, draws),
      dh: part(pass.dh, units, draws),
      state: pass.state,
      gradient: new Float64Array(units),
    };
    neuron.fire(alone);
    if (!sameBits(alone.h, part(pass.h, units, draws)))
      return `h of an example depends on the others of its minibatch, of ${rows} rows`;
    if (!sameBits(gradientOf(neuron, alone), part(all, units)))
      return `the gradient of an example depends on the others of its minibatch, of ${rows} rows`;
  }
  return undefined;
}

/** Losses and cotangents are looked at so many times as far from 0, too. */
const FAR = 50;

/** Rows that are looked at for what a gradient reads: more where the first have none, as where a gradient is drawn once in a while. */
const READ_ROWS = [30, 1000, 30_000];

function readsAsDeclared(neuron: Neuron): string | undefined {
  const units = unitsOf(neuron, 5);
  let pass = passOf(neuron, READ_ROWS[0], units, 33);
  let gradient = gradientOf(neuron, pass);
  for (const rows of READ_ROWS.slice(1)) {
    if (gradient.filter((value) => value !== 0).length >= READ_ROWS[0]) break;
    if (rows * units * drawsOf(neuron, units) > MOST_READ) break;
    pass = passOf(neuron, rows, units, 33);
    gradient = gradientOf(neuron, pass);
  }
  // Draws differ by more than a constant, which baselines take away.
  const loss = gradientOf(neuron, { ...pass, loss: pass.loss.map((value, i) => FAR * value + 1 + (i % 7)) });
  const cotangent = gradientOf(neuron, { ...pass, dh: pass.dh.map((value) => FAR * value + 1) });
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

/** Numbers of the outputs of a pass. */
const MOST_READ = 1_000_000;

const RANGES = { 'unit-interval': [0, 1], 'non-negative': [0, Number.POSITIVE_INFINITY] } as const;

function keepsToRange(neuron: Neuron): string | undefined {
  if (neuron.range === 'real') return undefined;
  const [low, high] = RANGES[neuron.range];
  const { h, logits } = passOf(neuron, 60, 7, 34);
  const emitted = [...h, ...Array.from(logits).flatMap((logit) => [neuron.expect(logit), neuron.whenOpen(logit)])];
  const outside = emitted.find((value) => !(value >= low && value <= high));
  return outside === undefined ? undefined : `it says that its range is ${neuron.range}, and it emits ${outside}`;
}

function jointNoiseAsDeclared(learner: Neuron): string | undefined {
  const neuron = behaviourOf(learner);
  const units = unitsOf(neuron, 6);
  const pass = passOf(neuron, 1, units, 35);
  const others = pass.logits.some((_, moved) => {
    const h = new Float64Array(pass.h.length);
    neuron.fire({ ...pass, logits: pass.logits.map((logit, i) => (i === moved ? logit + 5 : logit)), h });
    return h.some((value, i) => i % units !== moved && value !== pass.h[i]);
  });
  if (others === (neuron.jointNoise === 'units')) return undefined;
  return others
    ? "a unit's h depends on other units, and `jointNoise` does not say so"
    : 'it says `jointNoise`, and no unit is';
}

function opensAsDeclared(neuron: Neuron): string | undefined {
  const { opens } = neuron;
  if (!opens) return undefined;
  for (const units of [1, 2, 5, 8, 33]) {
    const { h } = passOf(neuron, 20, units, 36);
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
  const pass = passOf(neuron, 2 * EXTREMES.length, 3, 37, () => EXTREMES[next++ % EXTREMES.length]);
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
  for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const seen = ({ h, logits }: Pass): boolean => !h.subarray(0, logits.length).every(Number.isFinite);
    if (!seen(passOf(neuron, 1, 1, 38, () => broken)))
      return `a logit of ${broken} gives an h that is finite, so that it would go unseen; expected that \`fire\` sets h to NaN where the logit is not finite, as \`fireEach\` does`;
    if (!seen(passOf(neuron, 1, 3, 38, (x) => (x > 0 ? broken : x))))
      return `a logit of ${broken} beside others leaves all h finite; expected that \`fire\` sets h of that unit (or of all that depend on it) to NaN`;
  }
  return undefined;
}
