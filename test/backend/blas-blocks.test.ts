/** Products of open blocks by BLAS on gathered rows, where there is a BLAS. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BLOCK_PRODUCTS,
  type BlockProduct,
  blockProductItems,
  fitsScratch,
  fitsUpdate,
} from '../../src/backend/blas-block-items.ts';
import type { Crossovers } from '../../src/backend/crossovers.ts';
import { Engine } from '../../src/backend/engine.ts';
import { catalogue } from '../../src/kernels/catalogue.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel } from '../../src/nn/model.ts';
import { sgd } from '../../src/optim/index.ts';
import { findBlas } from '../../src/platform/node/blas.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { Stepper } from '../../src/train/step.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose, assertSameBits } from '../helpers/numbers.ts';
import { blockCases, pairsOf } from '../kernels/blocks-cases.ts';
import type { Case } from '../kernels/cases.ts';
import { compare, execute } from '../kernels/execute.ts';
import { digits } from '../train/tiny.ts';

const found = await findBlas('auto').catch(() => undefined);
const skip = found ? false : 'There is no BLAS here, or no koffi: open blocks are computed by the kernels alone.';
/** BLAS sums in an order of its own. */
const RELATIVE = 3e-6;

const byBlas = {
  run({ backend }: Engine, name: string, args: readonly number[]): void {
    assert.ok(backend.runByBlas);
    backend.runByBlas(name as BlockProduct, ...(args as never));
  },
};

describe('open blocks by BLAS', { skip }, async () => {
  const engines: Engine[] = [];
  const engineWith = async (threads: number, crossovers?: Crossovers): Promise<Engine> => {
    const blas = found?.library ?? 'off';
    const engine = await createEngine({ threads, blas, ...(crossovers && { crossovers }) });
    engines.push(engine);
    return engine;
  };
  const [one, two] = [await engineWith(1), await engineWith(2)];
  after(() => {
    for (const engine of engines) engine.close();
  });

  for (const name of BLOCK_PRODUCTS) {
    const row: Case = blockCases[name];
    const fits = ({ inputs, outputs = inputs, size }: Record<string, number>): boolean =>
      fitsScratch(outputs, size) && fitsUpdate(name.startsWith('blocksToDense') ? outputs : size);
    test(`${name} agrees with the kernel’s definition`, () => {
      const fitting = row.scalars.filter(fits);
      fc.assert(
        fc.property(fitting, fc.nat(), (scalars, seed) => {
          compare(execute(one, name, row, scalars, seed, byBlas), name, row, scalars, seed, RELATIVE);
        }),
        { numRuns: 100 },
      );
    });

    test(`${name}: more rows than the scratch memory holds, blocks and inputs in several pieces; two threads give the bits of one`, {
      skip: name !== BLOCK_PRODUCTS[0] && slow,
    }, () => {
      for (const shape of [
        { rows: 40, blocks: 2, width: 9000, size: 5, open: 40 },
        { rows: 60, blocks: 3, width: 700, size: 400, open: 8 },
        { rows: 100, blocks: 2, width: 6800, size: 4, open: 40 },
      ]) {
        const { width, ...rest } = shape;
        const gates = { ...row.large, ...rest, inputs: width, outputs: width };
        if (!fits(gates)) continue;
        const scalars: Record<string, number> = { ...gates, pairs: pairsOf(gates) };
        const args = catalogue[name].parameters.map((parameter) => scalars[parameter] ?? 0);
        assert.ok(blockProductItems(name, args as never) > 1, 'one item: threads have nothing to share');
        const alone = execute(one, name, row, scalars, 7, byBlas);
        compare(alone, name, row, scalars, 7, RELATIVE);
        for (let time = 0; time < (full ? 3 : 1); time++) {
          const together = execute(two, name, row, scalars, 7, byBlas);
          for (const [parameter, values] of Object.entries(alone))
            assertSameBits(together[parameter] as Float32Array, values as Float32Array, `${name} ${parameter}`);
        }
      }
    });
  }

  /** A step of training of a gated network whose blocks are open alone; how many products of theirs went to BLAS. */
  function step(engine: Engine, { rows = 64, optimizer = sgd() } = {}) {
    const seen: string[] = [];
    const { runByBlas } = engine.backend;
    const watched: typeof runByBlas = (name, ...args) => {
      seen.push(name);
      runByBlas?.(name, ...args);
    };
    const at = new Engine(runByBlas ? { ...engine.backend, runByBlas: watched } : engine.backend, engine.crossovers);
    const layer = gated(320, {
      blocks: 8,
      neuron: 'stochastic-binary',
      compute: 'blocks',
      rate: 0.5,
      sparsity: 'none',
    });
    const model = createModel(at, { inputs: 784, layers: [layer, dense(10)], seed: 2 });
    const stepper = new Stepper(model, optimizer);
    const order = Int32Array.from({ length: rows }, (_, i) => i);
    const losses = Array.from({ length: 3 }, () => {
      at.beginStep();
      return stepper.run(gatherBatch(at, digits.train, order), { optimizer, learningRate: 0.1 }).loss;
    });
    return { losses, parameters: model.parameters.map(({ tensor }) => tensor.toArray()), seen };
  }

  test('training by BLAS and by the kernels is the same but for rounding', async () => {
    const kernels = await createEngine({ threads: 1 });
    engines.push(kernels);
    // The input of the network wants no gradient.
    const products = ['denseToBlocks', 'blocksToDense', 'blocksToDenseValues'];
    for (const [optimizer, last, threads] of [
      [sgd(), 'Weights', 1],
      [sgd({ momentum: 0.9 }), 'Update', 1],
      [sgd(), 'Weights', 2],
    ] as const) {
      const expected = step(kernels, { optimizer });
      const actual = step(await engineWith(threads, { 1: { upTo: 0, gatherFrom: 0 } }), { optimizer });
      assert.deepEqual([...new Set(actual.seen)], [...products, `blocksToDense${last}`, `denseToBlocks${last}`]);
      assert.equal(actual.seen.length, 15);
      actual.losses.forEach((loss, i) => {
        assert.ok(Math.abs(loss - expected.losses[i]) < 1e-4 * expected.losses[i], `${loss}, ${expected.losses[i]}`);
      });
      actual.parameters.forEach((values, i) => {
        assertClose(values, expected.parameters[i], { relative: 1e-4, absolute: 1e-4 }, `parameter ${i}`);
      });
    }
  });

  test('BLAS is taken from the measured number of examples a block on', async () => {
    for (const [crossover, gathers] of [
      [{ upTo: 1, gatherFrom: 1e9 }, false],
      [{ upTo: 1, gatherFrom: 1 }, true],
      [1, false],
    ] as const)
      assert.equal(step(await engineWith(1, { 1: crossover })).seen.length > 0, gathers, JSON.stringify(crossover));
    // Half of the rows open a block.
    assert.equal(step(one, { rows: 24 }).seen.length, 0);
    assert.ok(step(one, { rows: 48 }).seen.length > 0);
  });
});

test('blocks that do not fit the scratch memory of a thread are left to the kernels', () => {
  assert.ok(fitsScratch(784, 64) && fitsScratch(8192, 256) && fitsScratch(1, 1));
  assert.ok(fitsUpdate(1) && fitsUpdate(4096) && !fitsUpdate(10_000));
  assert.ok(!fitsScratch(100_000, 64) && !fitsScratch(64, 100_000) && !fitsScratch(0, 64));
});
