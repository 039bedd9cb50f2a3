import type { Engine } from '../backend/engine.ts';
import { digitsSplit } from '../data/digits.ts';
import { saveModel } from '../io/model-file.ts';
import { dense } from '../nn/dense.ts';
import { gated } from '../nn/gated.ts';
import { createModel } from '../nn/model.ts';
import { adam } from '../optim/index.ts';
import { train } from '../train/train.ts';

/**
 * Trains a small gated network for 200 steps on written digits and returns its file. With plain SIMD and without BLAS the bytes are the
 * same on every machine, in Node and in browsers, for any number of threads.
 */
export async function trainCheck(engine: Engine, seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const data = digitsSplit({ seed, train: 2000, valid: 100, test: 100 });
  const model = createModel(engine, {
    inputs: data.train.width,
    seed,
    layers: [gated(64, { blocks: 8, gater: [16], neuron: 'straight-through', rate: 0.25 }), dense(10)],
  });
  // 200 minibatches of ten: one pass over the data.
  for await (const _ of train(model, data, { epochs: 1, batch: 10, optimizer: adam(), seed }));
  return saveModel(model);
}
