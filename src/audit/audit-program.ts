import { createEngine, type Engine } from '../backend/engine.ts';
import { studentQuantile } from '../math/student.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import type { Task, TaskData } from '../tasks/task.ts';
import type { TensorsOf, Values } from '../tensor/gradient.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Interval } from './audit-neuron.ts';
import { enumerate, type ProgramSite, sitesOf } from './enumerate-program.ts';
import { norm } from './gradient-errors.ts';
import { short } from './places.ts';
import { drawnGradient, type Program, programOf, programOfModel, withNeuron } from './program.ts';
import { FALSE_ALARM, type Verdict } from './verdict.ts';

/** Options of `auditProgram` and `auditModel`. */
export interface ProgramAuditOptions {
  /** Where gradients are drawn; default: the Float64 reference engine, on which the true gradient is computed in any case. */
  readonly engine?: Engine;
  /** Gradients that are drawn; default 2,000. */
  readonly samples?: number;
  /** Of the random numbers; default 1. */
  readonly seed?: number;
  /** Fires in place of every neuron with noise; default: those of the program. */
  readonly neuron?: NeuronSpec;
  /** Most bits of all sites and rows together whose states are enumerated; default 14. With more, the true gradient is drawn too. */
  readonly bits?: number;
  /** An earlier audit of the same function and values, on whatever neurons: its true gradient is used again. */
  readonly truth?: ProgramAudit;
  readonly signal?: AbortSignal;
}

const NAMES: NamesOf<ProgramAuditOptions> = {
  engine: true,
  samples: true,
  seed: true,
  neuron: true,
  bits: true,
  truth: true,
  signal: true,
};

/** The gradient at one parameter; vectors have its numbers row-major. */
export interface ParameterAudit {
  readonly name: string;
  /** ∂E[loss]/∂parameter. */
  readonly truth: Float64Array;
  /** Mean of the gradients that were drawn. */
  readonly mean: Float64Array;
  /** Standard error of their difference. */
  readonly error: Float64Array;
  /** |mean − truth|, four standard errors to each side. */
  readonly bias: Interval;
}

/** What the gradients of a whole program are worth. */
export interface ProgramAudit {
  /** How the true gradient is known. */
  readonly method: 'enumeration' | 'sampling';
  /** Joint states that were enumerated; 0 by sampling. */
  readonly states: number;
  /** Of all sites and rows together; of an enumerated program the most that a state has. */
  readonly bits: number;
  readonly sites: readonly ProgramSite[];
  /** Gradients that were drawn. */
  readonly samples: number;
  /** E[loss], the mean over the examples; undefined by sampling. */
  readonly loss?: number;
  readonly parameters: readonly ParameterAudit[];
  readonly verdicts: readonly Verdict[];
}

const [SAMPLES, BITS] = [2000, 14];
const STANDARD_ERRORS = 4;
/** Milliseconds between looks at the signal. */
const PAUSE = 50;
/** Rounding, relative to the gradients: of Float64, and of sums in Float32. */
const ROUNDING = { wide: 1e-9, narrow: 3e-5 } as const;
/** Effective draws, (Σd²)²/Σd⁴, under which a mean says nothing: an event that was seen a few times. */
const EFFECTIVE = 5;
/** Share of the numbers of which that may be so while the others stand for all. */
const SELDOM = 0.1;

/**
 * Audits a function of tensors as it stands: whatever neurons fire in it, at however many sites, on examples or sequences, with shared
 * parameters and parts behind gates. The gradient at every value is held against that of E[loss], which is known from all joint states of
 * the bits of all sites; where there are too many, against draws of `local-expectation`. Float64, unless an engine is given.
 * @param f gives one number, or one an example; see `valueAndGradient`
 * @throws RangeError for neurons with noise whose units are no bits, and what the function throws
 */
export async function auditProgram<V extends Values>(
  f: (values: TensorsOf<V>) => Tensor,
  values: V,
  options: ProgramAuditOptions & {
    /** The same function over more copies of its examples, in place of which it is drawn: less noise a draw. */
    readonly repeated?: (values: TensorsOf<V>) => Tensor;
  } = {},
): Promise<ProgramAudit> {
  checkNames('auditProgram', options, { ...NAMES, repeated: true });
  const { seed = 1, repeated = f } = options;
  const reference = await createEngine({ backend: 'reference' });
  const make = (engine: Engine): Program => programOf(engine, repeated, values, seed);
  return judged(programOf(reference, f, values, seed), make, reference, options);
}

/**
 * The same of a model and its task on some examples: at every parameter, penalties left out.
 * @param make the model on an engine: the same weights each time
 */
export async function auditModel<D extends TaskData>(
  make: (engine: Engine) => Model,
  minibatch: { task: Pick<Task<D>, 'gather' | 'run'>; data: D; indices: ArrayLike<number> },
  options: ProgramAuditOptions = {},
): Promise<ProgramAudit> {
  checkNames('auditModel', options, NAMES);
  const reference = await createEngine({ backend: 'reference' });
  const program = (engine: Engine): Program => programOfModel(make(engine), minibatch);
  return judged(program(reference), program, reference, options);
}

/** @param exact on the reference engine @param make what gradients are drawn of */
async function judged(
  exact: Program,
  make: (engine: Engine) => Program,
  reference: Engine,
  { engine = reference, samples = SAMPLES, neuron, bits: most = BITS, truth: earlier, signal }: ProgramAuditOptions,
): Promise<ProgramAudit> {
  if (!Number.isInteger(samples) || samples < 20)
    throw new RangeError(`\`samples\` is ${samples}; expected a whole number from 20 up.`);
  const sites = sitesOf(exact);
  const bits = sites.reduce((sum, site) => sum + site.bits, 0);
  const found =
    earlier?.method === 'enumeration'
      ? { ...earlier, gradient: Float64Array.from(earlier.parameters.flatMap(({ truth }) => Array.from(truth))) }
      : bits <= most
        ? await paced(enumerate(exact, 2 ** most), signal)
        : undefined;
  const own = neuron === undefined ? undefined : resolveNeuron(neuron);
  const given = make(engine);
  const drawn = await paced(drawing(own ? withNeuron(given, own) : given, samples), signal);
  const truth = found ? { mean: found.gradient, variance: undefined } : await drawnTruth(make(engine), samples, signal);
  const firing = own ? sites.map((site) => ({ ...site, neuron: own })) : sites;
  const parameters = compared(drawn, truth, samples);
  const facts = {
    method: found ? ('enumeration' as const) : ('sampling' as const),
    states: found?.states ?? 0,
    bits: found?.bits ?? bits,
    sites: firing,
    samples,
    ...(found?.loss !== undefined && { loss: found.loss }),
    parameters,
  };
  return { ...facts, verdicts: [verdictOf(facts, drawn)] };
}

/** Runs a generator to its end, with pauses in which others get their turn. */
async function paced<T>(work: Generator<unknown, T>, signal: AbortSignal | undefined): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - since < PAUSE) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    since = performance.now();
  }
}

/** Moments of gradients that were drawn, at every number of the parameters. */
interface Drawn {
  readonly names: readonly (readonly [name: string, size: number])[];
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** E|ĝ|. */
  readonly typical: Float64Array;
  /** (Σd²)²/Σd⁴. */
  readonly effective: Float64Array;
  readonly rounding: number;
}

/** Moments are kept as of Pébay 2008, "Formulas for robust, one-pass parallel computation of covariances", Eq. 2.1 to 2.3 for one number more. */
function* drawing(program: Program, samples: number): Generator<number, Drawn> {
  let names: Drawn['names'] = [];
  let rounding: number = ROUNDING.wide;
  let [mean, typical, second, third, fourth] = Array.from({ length: 5 }, () => new Float64Array(0));
  for (let step = 0; step < samples; step++) {
    const pass = program.pass(step);
    const draw = drawnGradient(pass);
    if (step === 0) {
      names = pass.parameters.map(([name, { size }]) => [name, size]);
      if (pass.loss.values instanceof Float32Array) rounding = ROUNDING.narrow;
      [mean, typical, second, third, fourth] = [mean, typical, second, third, fourth].map(
        () => new Float64Array(draw.length),
      );
    }
    const n = step + 1;
    for (let i = 0; i < draw.length; i++) {
      const d = draw[i] - mean[i];
      const part = d / n;
      const square = d * part * step;
      mean[i] += part;
      typical[i] += (Math.abs(draw[i]) - typical[i]) / n;
      fourth[i] += square * part * part * (n * n - 3 * n + 3) + 6 * part * part * second[i] - 4 * part * third[i];
      third[i] += square * part * (n - 2) - 3 * part * second[i];
      second[i] += square;
    }
    yield step;
  }
  return {
    names,
    mean,
    typical,
    rounding,
    variance: second.map((square) => square / (samples - 1)),
    effective: second.map((square, i) => (fourth[i] > 0 ? (square * square) / fourth[i] : Number.POSITIVE_INFINITY)),
  };
}

/** Draws by an unbiased neuron of little noise: by one that compares rows where each has a loss of its own. */
async function drawnTruth(program: Program, samples: number, signal: AbortSignal | undefined): Promise<Drawn> {
  try {
    return await paced(drawing(withNeuron(program, resolveNeuron('local-expectation')), samples), signal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return await paced(drawing(withNeuron(program, resolveNeuron('rloo:K=4')), samples), signal);
  }
}

function compared(
  drawn: Drawn,
  { mean: truth, variance }: { mean: Float64Array; variance: Float64Array | undefined },
  samples: number,
): ParameterAudit[] {
  let from = 0;
  return drawn.names.map(([name, size]) => {
    const own = { truth: truth.slice(from, from + size), mean: drawn.mean.slice(from, from + size) };
    const error = own.mean.map((_, i) => Math.sqrt((drawn.variance[from + i] + (variance?.[from + i] ?? 0)) / samples));
    from += size;
    const value = norm(own.mean.map((mean, i) => mean - own.truth[i]));
    const around = STANDARD_ERRORS * norm(error);
    return { name, ...own, error, bias: { value, least: Math.max(0, value - around), most: value + around } };
  });
}

const isUnbiased = ({ claims }: Neuron): boolean => claims.unbiased && !claims.scale;

function verdictOf(
  { sites, parameters, method, states, bits, samples }: Omit<ProgramAudit, 'verdicts'>,
  { typical, effective, rounding }: Drawn,
): Verdict {
  const claim = sites.every(({ neuron }) => isUnbiased(neuron)) ? 'unbiased' : 'biased';
  const numbers = typical.length;
  const chance = studentQuantile(1 - FALSE_ALARM / (2 * Math.max(1, numbers)), samples - 1);
  const size = parameters.reduce((most, { truth }) => truth.reduce((top, g) => Math.max(top, Math.abs(g)), most), 0);
  const scored = parameters.flatMap(({ name, truth, mean, error }, k) =>
    Array.from(truth, (g, i) => {
      const at = i + parameters.slice(0, k).reduce((sum, one) => sum + one.truth.length, 0);
      const off = Math.max(0, Math.abs(mean[i] - g) - rounding * (Math.abs(g) + typical[at] + 0.1 * size));
      const z = off === 0 ? 0 : off / error[i];
      return {
        name,
        i,
        mean: mean[i],
        truth: g,
        z: Number.isNaN(z) ? Number.POSITIVE_INFINITY : z,
        few: effective[at] < EFFECTIVE,
      };
    }),
  );
  const told = scored.filter(({ few, z }) => !few || z === Number.POSITIVE_INFINITY);
  const wrong = told.filter(({ z }) => z > chance);
  const most = told.reduce((top, { z }) => Math.max(top, z), 0);
  const way =
    method === 'enumeration'
      ? `by enumeration of ${states} states of ${bits} bits and ${samples} draws`
      : `by ${samples} draws of it and of \`local-expectation\``;
  const margin = `${chance.toFixed(1)} standard errors would be chance; false alarms ${FALSE_ALARM}`;
  const all = `${numbers} numbers of ${parameters.length} parameter${parameters.length === 1 ? '' : 's'}`;
  if (wrong.length > 0) {
    const worst = wrong.reduce((a, b) => (b.z > a.z ? b : a));
    const biased = [...new Set(sites.filter(({ neuron }) => !isUnbiased(neuron)).map(({ neuron }) => neuron.name))];
    const why = biased.length > 0 ? `, as of ${biased.join(' and ')} is to be expected` : '';
    const evidence = `E[ĝ] is off ∂E[loss] at ${wrong.length} of ${all}${why}; e.g. at number ${worst.i} of "${worst.name}" it is ${short(worst.mean)} and ∂E[loss] is ${short(worst.truth)} (${worst.z.toFixed(1)} standard errors), ${way} (${margin})`;
    return { claim, verdict: claim === 'unbiased' ? 'refuted' : 'holds', evidence };
  }
  const few = scored.length - told.length;
  const rare = few === 0 ? '' : `; at ${few} what counts was drawn too seldom: more samples tell`;
  const evidence = `E[ĝ] is ∂E[loss] at ${told.length} of ${all} ${way}, within ${most.toFixed(1)} standard errors (${margin})${rare}`;
  const seen = claim === 'unbiased' && few <= SELDOM * numbers;
  return { claim, verdict: seen ? 'holds' : 'undecided', evidence };
}
