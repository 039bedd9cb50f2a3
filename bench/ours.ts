/**
 * Our side of a benchmark: one process, one kind of work, one line of JSON.
 *
 *     node bench/ours.ts --work NAME --threads 1 --simd simd|relaxed --blas off|auto --path dense|blocks …
 */
import { parseArgs } from 'node:util';
import { exampleGates, type GatedPathName, gatedWork } from '../src/audit/gated-work.ts';
import { blockMask } from '../src/backend/block-mask.ts';
import { multiplyMatrices } from '../src/backend/matmul.ts';
import { targetOf } from '../src/backend/matrix.ts';
import {
  createModel,
  type Dataset,
  dense,
  digits,
  gated,
  makeDataset,
  type NdArray,
  resolveOptimizer,
  sgd,
  Tape,
  type Tensor,
} from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { randomStream } from '../src/random/stream.ts';
import { gatherBatch } from '../src/tasks/examples.ts';
import { gateBlocks } from '../src/tensor/ops/block-gates.ts';
import { openBlocks } from '../src/tensor/ops/block-shape.ts';
import { blocksToBlocks, blocksToDense, denseToBlocks } from '../src/tensor/ops/blocks.ts';
import { gate } from '../src/tensor/ops/gate.ts';
import { matmul } from '../src/tensor/ops/matmul.ts';
import { Stepper } from '../src/train/step.ts';
import { networks } from './networks.ts';

const { values: flags } = parseArgs({
  options: {
    work: { type: 'string', default: 'matmul512' },
    threads: { type: 'string', default: '1' },
    simd: { type: 'string', default: 'auto' },
    blas: { type: 'string', default: 'off' },
    path: { type: 'string', default: 'blocks' },
    rows: { type: 'string', default: '100' },
    inputs: { type: 'string', default: '784' },
    units: { type: 'string', default: '2048' },
    size: { type: 'string', default: '64' },
    density: { type: 'string', default: '0.1' },
    gater: { type: 'string', default: '64' },
    neuron: { type: 'string', default: 'rectifier' },
    gates: { type: 'string', default: 'stochastic-binary' },
    optimizer: { type: 'string', default: 'sgd' },
  },
});

const engine = await createEngine({ threads: Number(flags.threads), simd: flags.simd as 'auto', blas: flags.blas });

/** A 512×512×512 product of Float32 matrices. */
function matmul512(): () => void {
  const n = 512;
  const values = Float32Array.from({ length: n * n }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
  return () => {
    engine.beginStep();
    const [a, b, out] = [engine.tensor(values, [n, n]), engine.tensor(values, [n, n]), engine.allocate([n, n], 'out')];
    const plain = (pointer: number) => ({ pointer, rowStride: n, columnStride: 1 });
    const start = performance.now();
    multiplyMatrices(engine, plain(a.pointer), plain(b.pointer), targetOf(out), { m: n, n, k: n });
    times.push(performance.now() - start);
  };
}

/** Digits, cut to so many pixels in the middle, and classes. */
function digitsOf(count: number, width: number, classes: number): Dataset {
  const { name, features, labels, scale } = digits({ seed: 1, count });
  const from = (784 - width) >> 1;
  const cut = Float32Array.from(
    { length: count * width },
    (_, i) => features[Math.floor(i / width) * 784 + from + (i % width)],
  );
  return makeDataset({ name, features: cut, labels: labels.map((label) => label % classes), scale, width, classes });
}

/** One SGD step of inputs → hidden → classes: forward, all gradients, update. */
const sgdStep = (batch: number, inputs: number, hidden: number, classes: number) => (): (() => void) => {
  const data = digitsOf(batch, inputs, classes);
  const model = createModel(engine, { inputs, layers: [dense(hidden, flags.neuron), dense(classes)] });
  const optimizer = sgd({ learningRate: 0.1 });
  const stepper = new Stepper(model, optimizer);
  const indices = Int32Array.from({ length: batch }, (_, i) => i);
  return () => {
    const start = performance.now();
    engine.beginStep();
    stepper.run(gatherBatch(engine, data, indices), { optimizer, learningRate: 0.1 });
    times.push(performance.now() - start);
  };
};

/** Gates open at random, the same for every process: rows × blocks of 0 and 1. */
function randomGates(rows: number, blocks: number, density: number, stream: number): Float32Array {
  const random = randomStream(1, 99, stream);
  return Float32Array.from({ length: rows * blocks }, () => (random.uniform() < density ? 1 : 0));
}

/** Parameters of a layer with small weights, on the heap for good. */
function parameters(shape: readonly number[], stream: number): NdArray {
  const tensor = engine.parameter(shape, 'benchmark weights');
  const random = randomStream(1, 98, stream);
  const { values } = tensor;
  for (let i = 0; i < values.length; i++) values[i] = (random.uniform() - 0.5) * 0.05;
  return tensor;
}

interface Gated {
  readonly rows: number;
  readonly inputs: number;
  readonly units: number;
  readonly size: number;
  readonly density: number;
}

const shapeOf = (): Gated => ({
  rows: Number(flags.rows),
  inputs: Number(flags.inputs),
  units: Number(flags.units),
  size: Number(flags.size),
  density: Number(flags.density),
});

/** A gated layer with random gates: `--path plain` (dense product, all gates multiplied), `dense` or `blocks`; see gatedWork. */
function gatedLayer(): () => void {
  const shape = shapeOf();
  const run = gatedWork(engine, shape, flags.path as GatedPathName, exampleGates(shape, shape.density));
  return () => {
    times.push(run());
    peak = Math.max(peak, engine.backend.heap.usage.step);
  };
}

/** Two gated layers and a dense one on top, inputs→units→units→10, forward and all gradients. */
function twoGatedLayers(): () => void {
  const { rows, inputs, units, size, density } = shapeOf();
  const blocks = units / size;
  const values = randomGates(rows, inputs, 0.5, 0);
  const gateValues = [1, 2].map((stream) => randomGates(rows, blocks, density, stream));
  const dense = flags.path === 'dense';
  const weights = [inputs, units].map((below, i) => parameters(dense ? [below, units] : [blocks, below, size], 3 + i));
  const top = parameters([units, 10], 5);
  const [bias, topBias] = [parameters([units], 6), parameters([10], 7)];
  return () => {
    engine.beginStep();
    const features = engine.tensor(values, [rows, inputs]);
    const gateArrays = gateValues.map((g) => engine.tensor(g, [rows, blocks]));
    const start = performance.now();
    const tape = new Tape(engine);
    tape.watch([...weights, top]);
    const examples = tape.plates.examples(rows);
    const x = tape.input(features, examples);
    const gates = gateArrays.map((array) => tape.input(array, examples, true));
    const [first, second, last, own, ownTop] = [...weights, top, bias, topBias].map((array) => tape.parameter(array));
    let y: Tensor;
    if (dense) {
      const layer = (h: Tensor, i: number) => gate(gates[i], matmul(h, i === 0 ? first : second, own), { size });
      y = matmul(layer(layer(x, 0), 1), last, ownTop);
    } else {
      const [from, to] = gates.map((g) => openBlocks(g, blockMask(engine, g.array), size));
      const below = gateBlocks(gates[0], denseToBlocks(x, first, own, from), from);
      const above = gateBlocks(gates[1], blocksToBlocks(below, second, own, { from, to }), to);
      y = blocksToDense(above, last, ownTop, to);
    }
    for (const tensor of [...weights, top]) tape.descend(tensor, -1e-6);
    tape.backward([{ tensor: y, cotangent: 1e-3 }]);
    times.push(performance.now() - start);
  };
}

/** Inference: inputs → units in blocks → inputs, with exactly the given share of the blocks open in every row. */
function inference(): () => void {
  const { rows, inputs, units, size, density } = shapeOf();
  const blocks = units / size;
  const values = randomGates(rows, inputs, 0.5, 0);
  const open = Math.round(density * blocks);
  const gateValues = Float32Array.from({ length: rows * blocks }, (_, i) =>
    ((i % blocks) * 7) % blocks < open ? 1 : 0,
  );
  const dense = flags.path === 'dense';
  const weights = parameters(dense ? [inputs, units] : [blocks, inputs, size], 2);
  const above = parameters([units, inputs], 3);
  const [bias, biasAbove] = [parameters([units], 4), parameters([inputs], 5)];
  return () => {
    engine.beginStep();
    const arrays = [engine.tensor(values, [rows, inputs]), engine.tensor(gateValues, [rows, blocks])];
    const start = performance.now();
    const tape = new Tape(engine);
    const [x, gates] = arrays.map((array) => tape.input(array, tape.plates.examples(rows)));
    const [w, b, wAbove, bAbove] = [weights, bias, above, biasAbove].map((array) => tape.parameter(array));
    if (dense) matmul(gate(gates, matmul(x, w, b), { size }), wAbove, bAbove);
    else {
      const shape = openBlocks(gates, blockMask(engine, gates.array), size);
      blocksToDense(gateBlocks(gates, denseToBlocks(x, w, b, shape), shape), wAbove, bAbove, shape);
    }
    times.push(performance.now() - start);
  };
}

/** A whole training step of a gated classifier: gater, gates (REINFORCE), experts, loss, update; rate held at the given density. */
function gatedStep(): () => void {
  const { rows, units, size, density } = shapeOf();
  const data = digits({ seed: 1, count: rows });
  const blocks = units / size;
  const layer = gated(units, {
    blocks,
    neuron: flags.gates,
    gater: flags.gater === 'none' ? [] : flags.gater.split(',').map(Number),
    rate: density,
    sparsity: 'none',
    compute: flags.path as 'dense',
    activation: size === 1 ? 'linear' : 'rectifier',
  });
  const model = createModel(engine, { inputs: 784, layers: [layer, dense(10)] });
  const optimizer = resolveOptimizer(flags.optimizer, { learningRate: 1e-6 });
  const stepper = new Stepper(model, optimizer);
  const indices = Int32Array.from({ length: rows }, (_, i) => i);
  // Random logits would spread the rate: with small weights the bias alone sets it.
  for (const { name, tensor } of model.parameters) if (name === 'gated0.gater.weights') tensor.values.fill(0);
  return () => {
    const start = performance.now();
    engine.beginStep();
    stepper.run(gatherBatch(engine, data, indices), { optimizer, learningRate: 1e-6 });
    times.push(performance.now() - start);
    peak = Math.max(peak, engine.backend.heap.usage.step);
  };
}

const WORK: Readonly<Record<string, () => () => void>> = {
  matmul512,
  'dense-step': sgdStep(100, 784, 2000, 10),
  /** All that is not a product: the tape's own cost. */
  'small-step': sgdStep(1, 16, 16, 2),
  'gated-layer': gatedLayer,
  'two-gated-layers': twoGatedLayers,
  inference,
  'gated-step': gatedStep,
  ...Object.fromEntries(
    Object.entries(networks).map(([name, make]) => [
      name,
      () => {
        const go = make(engine, flags.path === 'dense');
        return () => {
          const { milliseconds, ...rest } = go();
          times.push(milliseconds);
          facts = rest;
        };
      },
    ]),
  ),
};
const SECONDS = 1.5;

const times: number[] = [];
let peak = 0;
/** Further facts of the work, printed beside the time. */
let facts: object = {};
const work = WORK[flags.work]?.();
if (!work) throw new RangeError(`There is no work "${flags.work}". Known: ${Object.keys(WORK).join(', ')}.`);
const start = performance.now();
while (performance.now() - start < SECONDS * 1000 || times.length < 10) work();
times.splice(0, Math.floor(times.length / 5)); // warming up
times.sort((a, b) => a - b);
const milliseconds = times[Math.floor(times.length / 2)];
console.log(
  JSON.stringify({
    peer: 'flipgrad',
    work: flags.work,
    engine: engine.name,
    threads: engine.threads,
    milliseconds,
    least: times[0],
    samples: times.length,
    node: process.version,
    ...(peak > 0 && { peakBytes: peak }),
    ...facts,
  }),
);
engine.close();
