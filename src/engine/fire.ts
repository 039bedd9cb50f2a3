import type { Neuron, NeuronState, Numbers } from '../neurons/contract.ts';
import type { Engine } from './engine.ts';
import { paddedBytes } from './heap.ts';
import type { Tensor } from './tensor.ts';

/** How a neuron is to fire: sampled (training, sample mode), noise off, or cut at a logit. */
export type FiringMode = 'sample' | 'mean-field' | { readonly threshold: number };

/** Where a draw's random numbers come from; see kernels/random.ts. */
export interface DrawKey {
  readonly key: readonly [number, number];
  readonly step: number;
  /** The layer's number, below 65,536. */
  readonly layer: number;
  /** The draw's number, below 65,536. */
  readonly draw: number;
}

export interface FireAttributes {
  readonly neuron: Neuron;
  readonly mode: FiringMode;
  readonly source: DrawKey;
  /** The neuron's moving averages: see `allocateState`. */
  readonly state?: Tensor | undefined;
  /** One number a unit; for neurons that declare `selects`. */
  readonly selectionBias?: Numbers | undefined;
}

/** Persistent moving averages of a neuron for a layer of so many units; undefined when it keeps none. */
export function allocateState(engine: Engine, neuron: Neuron, units: number): Tensor | undefined {
  if (!neuron.state) return undefined;
  const stride = stateStride(units);
  const starts = Object.values(neuron.state);
  const tensor = engine.parameter([starts.length, stride], `the state of ${neuron.name}`);
  const { values } = tensor;
  starts.forEach((start, i) => {
    values.fill(start, i * stride, (i + 1) * stride);
  });
  return tensor;
}

function stateStride(units: number): number {
  return paddedBytes(units) / 4;
}

function stateViews(neuron: Neuron, state: Tensor | undefined, units: number): NeuronState {
  if (!state || !neuron.state) return {};
  const stride = stateStride(units);
  const { values } = state;
  return Object.fromEntries(
    Object.keys(neuron.state).map((name, i) => [name, values.subarray(i * stride, i * stride + units) as Numbers]),
  );
}

/** h of a layer of neurons, and what its pullback wants to see again: the noise, and E[h] for consumers' pullbacks. */
export function fire(engine: Engine, logits: Tensor, attributes: FireAttributes): { output: Tensor; saved: Tensor[] } {
  const { neuron, mode, selectionBias } = attributes;
  const h = engine.allocate(logits.shape, `the output of ${neuron.name}`);
  if (mode === 'mean-field' || (mode !== 'sample' && neuron.selects)) {
    settle(engine, neuron, logits, h, selectionBias);
    return { output: h, saved: [] };
  }
  if (typeof mode === 'object') {
    const { values } = logits;
    const out = h.values;
    const cut = (logit: number): number => (logit > mode.threshold ? neuron.whenOpen(logit) : 0);
    // A NaN logit must not end as a closed unit.
    for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(values[i]) ? Number.NaN : cut(values[i]);
    return { output: h, saved: [] };
  }
  const noise = drawNoise(engine, neuron, logits, attributes.source);
  const { rows, columns: units } = logits;
  const args = [logits.pointer, noise.pointer, h.pointer, rows, units, neuron.twin?.option ?? 0];
  if (selectionBias || !engine.backend.runNeuron(neuron.twin?.fire, rows, units, args))
    neuron.fire({ rows, units, logits: logits.values, noise: noise.values, h: h.values, selectionBias });
  if (neuron.backwardSees === 'expectation') {
    h.shownToPullbacks = engine.allocate(logits.shape, `the expectation of ${neuron.name}`);
    settle(engine, neuron, logits, h.shownToPullbacks);
  }
  return { output: h, saved: [noise] };
}

/** The gradient at the logits; then the neuron's state moves on (the pullback saw the previous one). */
export function pullFire(
  engine: Engine,
  attributes: FireAttributes,
  logits: Tensor,
  h: Tensor,
  noise: Tensor,
  dh: Tensor | undefined,
  loss: Tensor | undefined,
): Tensor | null {
  const { neuron } = attributes;
  const readsLoss = neuron.reads === 'loss' || neuron.reads === 'both';
  if (readsLoss && !loss)
    throw new Error(`The neuron "${neuron.name}" reads the loss of every example; give it to \`tape.backward\`.`);
  if (!dh && neuron.reads !== 'loss') return null;
  const { rows, columns: units } = logits;
  const gradient = engine.allocate(logits.shape, `the gradient of ${neuron.name}`);
  const [at, cost, cotangent] = [attributes.state?.pointer ?? 0, loss?.pointer ?? 0, dh?.pointer ?? 0];
  const args = [logits.pointer, noise.pointer, h.pointer, cost, cotangent, gradient.pointer, rows, units, at];
  const firing = () => ({
    rows,
    units,
    logits: logits.values,
    noise: noise.values,
    h: h.values,
    loss: loss?.values ?? EMPTY,
    dh: dh?.values ?? EMPTY,
    state: stateViews(neuron, attributes.state, units),
    selectionBias: attributes.selectionBias,
  });
  if (!engine.backend.runNeuron(neuron.twin?.pullback, rows, units, args))
    neuron.pullback({ ...firing(), gradient: gradient.values });
  if (neuron.update) {
    const { option = 0, decay = 0 } = neuron.twin ?? {};
    const updateArgs = [logits.pointer, noise.pointer, h.pointer, cost, rows, units, at, option, decay];
    if (!engine.backend.runNeuron(neuron.twin?.update, rows, units, updateArgs)) neuron.update(firing());
  }
  return gradient;
}

const EMPTY = new Float32Array(0);

/** The noise that a neuron fires with: the same source gives the same numbers again. */
export function drawNoise(engine: Engine, neuron: Neuron, logits: Tensor, source: DrawKey): Tensor {
  const noise = engine.allocate([logits.rows, logits.columns * neuron.noise], `the noise of ${neuron.name}`);
  const stream = source.layer * 65536 + source.draw;
  const [key0, key1] = source.key;
  if (noise.size > 0)
    engine.backend.run('uniforms', noise.pointer, noise.rows, noise.columns, key0, key1, source.step, stream);
  return noise;
}

/** The deterministic form of a layer, noise off. */
function settle(engine: Engine, neuron: Neuron, logits: Tensor, out: Tensor, selectionBias?: Numbers): void {
  const { rows, columns: units } = logits;
  if (neuron.settle) {
    neuron.settle({ rows, units, logits: logits.values, noise: EMPTY, h: out.values, selectionBias });
    return;
  }
  const args = [logits.pointer, 0, out.pointer, rows, units, neuron.twin?.option ?? 0];
  if (engine.backend.runNeuron(neuron.twin?.expect, rows, units, args)) return;
  const { values } = logits;
  const result = out.values;
  for (let i = 0; i < result.length; i++) result[i] = neuron.expect(values[i]);
}
