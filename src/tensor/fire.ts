import type { Engine } from '../backend/engine.ts';
import { paddedBytes } from '../backend/heap.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Firing, Neuron, NeuronState, Numbers } from '../neurons/contract.ts';
import { twinNumbers } from '../neurons/parts/twin-numbers.ts';
import type { Forward } from './define-op.ts';
import { drawsOf, weighDraws } from './draws.ts';
import { startingState } from './starting-state.ts';
import type { Tensor } from './tensor.ts';
import { type DrawKey, drawUniforms } from './uniforms.ts';

/** How a neuron is to fire: with all its draws (training), one draw, noise off, or cut at a logit. */
export type FiringMode = 'train' | 'sample' | 'mean-field' | { readonly threshold: number };

export interface FireAttributes {
  readonly neuron: Neuron;
  readonly mode: FiringMode;
  readonly source: DrawKey;
  /** The neuron's moving averages: see `allocateState`. */
  readonly state?: NdArray | undefined;
  /** One number a unit; for neurons that declare `selects`. */
  readonly selectionBias?: Numbers | undefined;
  /** While training, of neurons that read it: the input of the layer, rows × inputs; absent: the logits. */
  readonly input?: NdArray | undefined;
  /** Inputs that the state is made for; absent: as many as units. */
  readonly inputs?: number | undefined;
  /** Pointer to whole numbers: whose random numbers each row of units has; 0 or absent: its own. */
  readonly rowOf?: number;
}

/**
 * The persistent state of a neuron for a layer of so many units; undefined when it keeps none.
 * @param inputs of the layer; default: the logits stand for them
 */
export function allocateState(engine: Engine, neuron: Neuron, units: number, inputs = units): NdArray | undefined {
  const starts = Object.values(startingState(neuron, units, inputs));
  if (starts.length === 0) return undefined;
  // One row a name, each as long as the longest.
  const stride = paddedBytes(Math.max(...starts.map(({ length }) => length))) / 4;
  const tensor = engine.parameter([starts.length, stride], `the state of ${neuron.name}`);
  const { values } = tensor;
  Object.values(neuron.state ?? {}).forEach((spec, i) => {
    if (typeof spec === 'number') values.fill(spec, i * stride, (i + 1) * stride);
    else values.set(starts[i], i * stride);
  });
  return tensor;
}

function stateViews(neuron: Neuron, state: NdArray | undefined, units: number, inputs = units): NeuronState {
  if (!state || !neuron.state) return {};
  const stride = state.columns;
  const { values } = state;
  return Object.fromEntries(
    Object.entries(neuron.state).map(([name, spec], i) => {
      const length = typeof spec === 'number' ? units : spec.size(units, inputs);
      return [name, values.subarray(i * stride, i * stride + length) as Numbers];
    }),
  );
}

/** What fires a layer of tensors. */
export interface FireOptions extends Omit<FireAttributes, 'input' | 'rowOf'> {
  /** What the logits are computed from, of as many rows; see `Firing.input`. */
  readonly input?: Tensor | undefined;
}

/**
 * h of a layer of neurons, logits rows × units → h rows × units (in training draws·rows × units, draw after draw), and what its
 * pullback wants to see again: the noise. Where the neuron says so, E[h] is what consumers' pullbacks see.
 */
export function fireRows(engine: Engine, logits: NdArray, attributes: FireAttributes): Forward {
  const { neuron, mode } = attributes;
  const { rows, columns: units } = logits;
  if (mode === 'mean-field' || (typeof mode === 'object' && (neuron.selects || neuron.group))) {
    const h = engine.allocate(logits.shape, `the output of ${neuron.name}`);
    settle(engine, attributes, logits, h);
    return { output: h, saved: [] };
  }
  if (typeof mode === 'object') {
    const h = engine.allocate(logits.shape, `the output of ${neuron.name}`);
    const { values } = logits;
    const out = h.values;
    const cut = (logit: number): number => (logit > mode.threshold ? neuron.whenOpen(logit) : 0);
    // A logit that is not finite must not end as a closed or an open unit.
    for (let i = 0; i < out.length; i++) out[i] = Number.isFinite(values[i]) ? cut(values[i]) : Number.NaN;
    return { output: h, saved: [] };
  }
  const draws = mode === 'train' ? drawsOf(neuron, units) : 1;
  const noise = drawNoise(engine, neuron, logits, attributes.source, attributes.rowOf);
  const shape = draws === 1 ? logits.shape : [draws * rows, units];
  const h = engine.allocate(shape, `the output of ${neuron.name}`);
  // Views of the memory, for neurons and draws that are computed in JavaScript.
  const firing = (): Firing => ({
    rows,
    units,
    logits: logits.values,
    noise: noise.values,
    h: h.values,
    ...seen(attributes, logits),
  });
  if (mode === 'sample' && neuron.sample) {
    neuron.sample(firing());
    return { output: h, saved: [] };
  }
  if (!runFire(engine, neuron.twin?.fire, attributes, logits, noise, h)) neuron.fire(firing());
  const shown = neuron.backwardSees === 'expectation' ? expectation(engine, logits, attributes) : undefined;
  const made = { output: h, saved: [noise], ...(shown && { shown }) };
  if (draws === 1) return made;
  const weigh = (loss: NdArray, weights: NdArray, total: NdArray): void =>
    weighDraws(neuron, {
      ...firing(),
      rows: total.size,
      loss: loss.values,
      weights: weights.values,
      total: total.values,
    });
  const byRow = neuron.comparesRows === true;
  const facts = { weighed: neuron.weigh !== undefined, bound: neuron.wantsLogWeights === true };
  return { ...made, draws: { count: draws, weigh, byRow, ...facts } };
}

/** E[h], the noise off. */
function expectation(engine: Engine, logits: NdArray, attributes: FireAttributes): NdArray {
  const output = engine.allocate(logits.shape, `the expectation of ${attributes.neuron.name}`);
  settle(engine, { ...attributes, selectionBias: undefined }, logits, output);
  return output;
}

/** The gradient at the logits; then the neuron's state moves on (the pullback saw the previous one). */
export function pullFire(
  engine: Engine,
  attributes: FireAttributes,
  logits: NdArray,
  h: NdArray,
  noise: NdArray,
  dh: NdArray | undefined,
  loss: NdArray | undefined,
): NdArray | null {
  const { neuron } = attributes;
  if (!dh && neuron.reads !== 'loss') return null;
  const { rows, columns: units } = logits;
  const gradient = engine.allocate(logits.shape, `the gradient of ${neuron.name}`);
  const [at, cost] = [attributes.state?.pointer ?? 0, loss?.pointer ?? 0];
  const firing = () => ({
    rows,
    units,
    logits: logits.values,
    noise: noise.values,
    h: h.values,
    loss: loss?.values ?? EMPTY,
    dh: dh?.values ?? EMPTY,
    ...seen(attributes, logits),
  });
  if (!runPullback(engine, neuron.twin?.pullback, attributes, { logits, noise, h, loss, dh, gradient }))
    neuron.pullback({ ...firing(), gradient: gradient.values });
  if (neuron.update) {
    const ends = [at, ...lastArguments(attributes, logits)];
    const updateArgs = [logits.pointer, noise.pointer, h.pointer, cost, rows, units, ...ends];
    if (!engine.backend.runNeuron(neuron.twin?.update, rows, units, updateArgs)) neuron.update(firing());
  }
  return gradient;
}

const EMPTY = new Float32Array(0);

/** What kernels get after the shape: the state, or the selection bias of neurons that select. */
function besides(engine: Engine, { state, selectionBias }: Pick<FireAttributes, 'state' | 'selectionBias'>): number {
  return selectionBias ? engine.tensor(selectionBias).pointer : (state?.pointer ?? 0);
}

/** What the kernels of a layer of neurons are called with. */
export type TwinSource = Pick<FireAttributes, 'neuron' | 'state' | 'selectionBias' | 'input' | 'inputs'>;

/** What the functions of a neuron see besides logits, noise, outputs and losses. */
function seen({ neuron, state, selectionBias, input, inputs }: TwinSource, logits: NdArray) {
  const own = neuron.readsInput && (input ?? logits);
  return {
    selectionBias,
    state: stateViews(neuron, state, logits.columns, inputs),
    ...(own && { input: own.values }),
  };
}

/** The last arguments of a neuron's kernels. */
function lastArguments({ neuron, input }: TwinSource, logits: NdArray): readonly number[] {
  const { pointer, columns } = input ?? logits;
  return [...twinNumbers(neuron, logits.columns), ...(neuron.readsInput ? [pointer, columns] : [])];
}

/** Runs a kernel that is called as fire kernels are, where there is one. @param noise undefined: none */
export function runFire(
  engine: Engine,
  kernel: string | undefined,
  source: TwinSource,
  logits: NdArray,
  noise: NdArray | undefined,
  out: NdArray,
): boolean {
  if (kernel === undefined) return false;
  const { rows, columns: units } = logits;
  const pointers = [logits.pointer, noise?.pointer ?? 0, out.pointer];
  const args = [...pointers, rows, units, besides(engine, source), ...lastArguments(source, logits)];
  return engine.backend.runNeuron(kernel, rows, units, args);
}

/** Runs a kernel that is called as pullback kernels are, where there is one. */
export function runPullback(
  engine: Engine,
  kernel: string | undefined,
  source: TwinSource,
  arrays: {
    readonly logits: NdArray;
    readonly noise: NdArray | undefined;
    readonly h?: NdArray;
    readonly loss?: NdArray | undefined;
    readonly dh: NdArray | undefined;
    readonly gradient: NdArray;
  },
): boolean {
  if (kernel === undefined) return false;
  const { logits, noise, h, loss, dh, gradient } = arrays;
  const { rows, columns: units } = logits;
  const pointers = [logits, noise, h, loss, dh, gradient].map((array) => array?.pointer ?? 0);
  const args = [...pointers, rows, units, besides(engine, source), ...lastArguments(source, logits)];
  return engine.backend.runNeuron(kernel, rows, units, args);
}

/** The noise that a neuron fires with: the same source gives the same numbers again. @param rowOf see `FireAttributes` */
export function drawNoise(engine: Engine, neuron: Neuron, logits: NdArray, source: DrawKey, rowOf = 0): NdArray {
  return drawUniforms(engine, [logits.rows, logits.columns * neuron.noise], source, rowOf);
}

/** The deterministic form of a layer, noise off. */
function settle(engine: Engine, attributes: FireAttributes, logits: NdArray, out: NdArray): void {
  const { neuron } = attributes;
  const { rows, columns: units } = logits;
  if (neuron.settle) {
    if (runFire(engine, neuron.twin?.settle, attributes, logits, undefined, out)) return;
    neuron.settle({ rows, units, logits: logits.values, noise: EMPTY, h: out.values, ...seen(attributes, logits) });
    return;
  }
  if (runFire(engine, neuron.twin?.expect, attributes, logits, undefined, out)) return;
  const { values } = logits;
  const result = out.values;
  for (let i = 0; i < result.length; i++)
    result[i] = Number.isFinite(values[i]) ? neuron.expect(values[i]) : Number.NaN;
}
