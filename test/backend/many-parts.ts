/**
 * A program of its own, since what it looks for is a hang: runs the job that it is asked for, of more parts than the pool can number, on one,
 * two and three threads, and prints how many parts its grain asks for and a checksum of the output of each.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gemmParts } from '../../src/backend/blas.ts';
import { type BlockProduct, blockProductItems } from '../../src/backend/blas-block-items.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { multiplyMatrices } from '../../src/backend/matmul.ts';
import { catalogue } from '../../src/kernels/catalogue.ts';
import { neuronKernels } from '../../src/kernels/neurons.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { blockCases, pairsOf } from '../kernels/blocks-cases.ts';
import { execute } from '../kernels/execute.ts';

/** A job: the parts that its own grain would give, and what it computes. */
interface Job {
  readonly parts: number;
  run(engine: Engine): Float32Array;
}

/** An array of numbers between -1 and 1 that repeat late. */
function array(engine: Engine, length: number, seed: number) {
  const tensor = engine.allocate([length], 'numbers');
  const { values } = tensor;
  for (let i = 0; i < length; i++) values[i] = ((i * 7919 + seed) % 10007) / 5003 - 1;
  return tensor;
}

const COUNT = 1100;
const LONG = 4 * 4096 * COUNT;

function product(m: number, n: number, k: number, count: number): Job {
  return {
    parts: gemmParts(m, n, count),
    run(engine) {
      const [a, b, c] = [count * m * k, count * k * n, count * m * n].map((length, i) => array(engine, length, i));
      multiplyMatrices(
        engine,
        { pointer: a.pointer, rowStride: k, columnStride: 1 },
        { pointer: b.pointer, rowStride: n, columnStride: 1 },
        { pointer: c.pointer, rowStride: n },
        { m, n, k },
        ...(count > 1 ? [{ count, a: m * k, b: k * n, c: m * n, bias: 0 }] : []),
      );
      return c.toArray();
    },
  };
}

function blockProduct(name: BlockProduct, shape: Record<string, number>): Job {
  const row = blockCases[name];
  const gates = { ...row.large, ...shape };
  const scalars: Record<string, number> = { ...gates, pairs: pairsOf(gates) };
  const args = catalogue[name].parameters.map((parameter) => scalars[parameter] ?? 0);
  const run = (engine: Engine, _: string, values: readonly number[]) =>
    engine.backend.runByBlas?.(name, ...(values as never));
  return {
    parts: blockProductItems(name, args as never),
    run: (engine) => Object.values(execute(engine, name, row, scalars, 7, { run }))[0] as Float32Array,
  };
}

const { scale } = catalogue;
const { fireTanh } = neuronKernels;

/** By the way that a job takes to the pool. */
const JOBS: Readonly<Record<string, Job>> = {
  kernel: {
    parts: Math.ceil(scale.items(0, 0, LONG, 0) / scale.grain(0, 0, LONG, 0)),
    run(engine) {
      const [x, out] = [array(engine, LONG, 1), engine.allocate([LONG], 'an output')];
      engine.backend.run('scale', x.pointer, out.pointer, LONG, 0.3);
      return out.toArray();
    },
  },
  'kernel of a neuron': {
    parts: Math.ceil(fireTanh.items(COUNT, LONG / COUNT) / fireTanh.grain(COUNT, LONG / COUNT)),
    run(engine) {
      const [x, out] = [array(engine, LONG, 1), engine.allocate([LONG], 'an output')];
      const args = [x.pointer, 0, out.pointer, COUNT, LONG / COUNT, 0, 0, 0, 0];
      engine.backend.runNeuron('fireTanh', COUNT, LONG / COUNT, args);
      return out.toArray();
    },
  },
  'product by BLAS, of many columns': product(8, 192 * COUNT, 20, 1),
  'product by BLAS, of many rows': product(192 * COUNT, 8, 20, 1),
  'batch of products by BLAS': product(32, 32, 32, COUNT),
  'open blocks by BLAS': blockProduct('denseToBlocks', { rows: 20, blocks: COUNT, inputs: 20, size: 8 }),
  'gradient of open blocks by BLAS': blockProduct('denseToBlocksWeights', {
    rows: 20,
    blocks: COUNT,
    inputs: 20,
    size: 8,
  }),
};

const [name, blas] = process.argv.slice(2);
const job = JOBS[name];
const checksums = [];
for (const threads of [1, 2, 3]) {
  const engine = await createEngine({ threads, blas });
  assert.equal(engine.backend.gemm !== undefined, name.includes('BLAS'));
  engine.beginStep();
  checksums.push(createHash('sha256').update(job.run(engine)).digest('hex'));
  engine.close();
}
process.stdout.write(JSON.stringify({ parts: job.parts, checksums }));
