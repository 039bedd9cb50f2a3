import { blockMask, countOpen } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { fastestPath, type Path } from '../nn/paths.ts';
import { randomStream } from '../random/stream.ts';
import { allBlocks } from '../tensor/ops/all-blocks.ts';
import { gateBlocks } from '../tensor/ops/block-gates.ts';
import { openBlocks } from '../tensor/ops/block-shape.ts';
import { denseToBlocks } from '../tensor/ops/blocks.ts';
import { gate } from '../tensor/ops/gate.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A gated layer on a minibatch. */
export interface GatedShape {
  /** Examples in the minibatch. */
  readonly rows: number;
  readonly inputs: number;
  /** Expert units in all. */
  readonly units: number;
  /** Units of a block. */
  readonly size: number;
}

/**
 * `plain`: one dense product with weights inputs×units, gates multiplied; `dense`: the same with weights stored by block, as a gated
 * layer's dense path does it; `blocks`: open blocks alone, the mask's making included; `gathered`: the same with products by BLAS;
 * `auto`: what a gated layer chooses, the choice included.
 */
export type GatedPathName = 'plain' | 'auto' | Path;

/** Gates of 0 and 1 (rows × blocks) with about, or with `even` exactly the same number in every row and block, this share open. */
export function exampleGates({ rows, units, size }: GatedShape, density: number, even = false): Float32Array {
  const blocks = units / size;
  const random = randomStream(1, GATES);
  if (!even) return Float32Array.from({ length: rows * blocks }, () => (random.uniform() < density ? 1 : 0));
  const open = Math.round(density * blocks);
  return Float32Array.from({ length: rows * blocks }, (_, i) => {
    const [r, k] = [Math.floor(i / blocks), i % blocks];
    return (k + r * open) % blocks < open ? 1 : 0;
  });
}

/**
 * Prepares one layer's work: forward, and the gradients of input, gates and weights (added to the weights in place, times a tiny
 * factor). Every call of the result does it once and gives its milliseconds.
 */
export function gatedWork(
  engine: Engine,
  shape: GatedShape,
  path: GatedPathName,
  gateValues: Float32Array,
): () => number {
  const { rows, inputs, units, size } = shape;
  const blocks = units / size;
  const random = randomStream(1, WEIGHTS);
  const fill = (tensor: NdArray): NdArray => {
    const { values } = tensor;
    for (let i = 0; i < values.length; i++) values[i] = (random.uniform() - 0.5) * 0.05;
    return tensor;
  };
  const weights = fill(
    engine.parameter(path === 'plain' ? [inputs, units] : [blocks, inputs, size], 'measured weights'),
  );
  const bias = engine.parameter([units], 'a measured bias');
  const features = Float32Array.from({ length: rows * inputs }, () => (random.uniform() < 0.2 ? random.uniform() : 0));
  return () => {
    engine.beginStep();
    const arrays = [engine.tensor(features, [rows, inputs]), engine.tensor(gateValues, [rows, blocks])];
    const start = performance.now();
    const tape = new Tape(engine);
    tape.watch([weights]);
    const [x, gates] = arrays.map((array) => tape.input(array, tape.plates.examples(rows), true));
    const layer = { x, gates, weights: tape.parameter(weights), bias: tape.parameter(bias) };
    const output = forward(engine, path, layer, blocks, size);
    tape.descend(weights, -1e-6);
    tape.backward([{ tensor: output, cotangent: 1e-3 }]);
    return performance.now() - start;
  };
}

function forward(
  engine: Engine,
  path: GatedPathName,
  { x, gates, weights, bias }: { x: Tensor; gates: Tensor; weights: Tensor; bias: Tensor },
  blocks: number,
  size: number,
): Tensor {
  const chosen =
    path === 'auto' ? fastestPath(engine, { rows: x.rows, blocks, size }, countOpen(engine, gates.array)) : path;
  if (chosen === 'blocks' || chosen === 'gathered') {
    const shape = openBlocks(gates, blockMask(engine, gates.array), size, chosen === 'gathered');
    return gateBlocks(gates, denseToBlocks(x, weights, bias, shape), shape);
  }
  const values = path === 'plain' ? matmul(x, weights, bias) : allBlocks(x, weights, bias, { blocks, size });
  return gate(gates, values, { size });
}

/** Medians, in milliseconds, of several kinds of work done in turn, after a warm-up. */
export function medianTimes(work: readonly (() => number)[], milliseconds = 300): number[] {
  const times: number[][] = work.map(() => []);
  for (const run of work) run();
  const start = performance.now();
  while (performance.now() - start < milliseconds * work.length || times[0].length < 5)
    work.forEach((run, i) => {
      times[i].push(run());
    });
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
}

const GATES = 99;
const WEIGHTS = 98;
