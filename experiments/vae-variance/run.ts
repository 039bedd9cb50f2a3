/**
 * Which estimator is the least noisy? Variances of the gradient at the latents' logits, on one trajectory: a linear VAE (784 → 200 → 784,
 * dynamically binarised MNIST) trained with RLOO (two draws, Adam 0.001, batch 100), stopped at marks; there every estimator is
 * measured at the same weights on the same ten minibatches (fixed bits), thirty draws each.
 *
 *     FLIPGRAD_DATA=DIR node experiments/vae-variance/run.ts
 *
 * Appends a record a mark to results/vae-variance.jsonl and renders results/vae-variance.md with `npm run results`. Marks that are there
 * already are not measured again; the trajectory is.
 */
import {
  adam,
  createModel,
  repeatsOf,
  resolveNeuron,
  SiteGradients,
  slice,
  train,
  vae,
  vaeLayers,
} from '../../src/index.ts';
import { zoo } from '../../src/neurons/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';
import { appendRecord } from '../kit/records.ts';
import { interval } from '../kit/statistics.ts';
import { DRAWS, FILE, MARKS, MEASURED, readVarianceRecords } from './report.ts';

const BATCHES = 10;

const BATCH = 100;

/** Minibatches on which moving averages settle before they are measured. */
const WARM = 100;

async function run(): Promise<void> {
  const data = await loadDataset('mnist');
  const engine = await createEngine({ threads: 1, blas: 'auto' });
  const model = createModel(engine, { inputs: 784, layers: vaeLayers('linear', 784, 'rloo'), seed: 1 });
  const pictures = slice(data.valid, 0, BATCHES * BATCH);
  const latents = new SiteGradients(model, model.layers[0].sites[0], vae());
  const minibatch = (i: number) => Int32Array.from({ length: BATCH }, (_, r) => (i % BATCHES) * BATCH + r);
  const names = MEASURED.filter((name) => Object.hasOwn(zoo, name.split(':')[0]));
  let step = 0;
  for await (const event of train(model, data, { task: vae(), epochs: 1000, batch: BATCH, optimizer: adam() })) {
    if (event.event !== 'batch') continue;
    step++;
    if (!MARKS.includes(step)) continue;
    const known = readVarianceRecords();
    for (const neuron of names) {
      if (known.some((record) => record.neuron === neuron && record.step === step)) continue;
      const measured = latents.measured(resolveNeuron(neuron));
      const { claims, state } = { ...measured.neuron, ...measured };
      // The step names the bits of a minibatch, the draw those of the latents.
      const gradient = (i: number, draw: number) =>
        latents.draw(measured, pictures, minibatch(i), i % BATCHES, draw).gradient;
      if (state) for (let i = 0; i < WARM; i++) gradient(i, DRAWS + i);
      const variances = Array.from({ length: BATCHES }, (_, i) => {
        const gradients = Array.from({ length: DRAWS }, (_, draw) => gradient(i, draw));
        return repeatsOf(gradients).variance.value / BATCH;
      });
      const { evaluations: draws } = measured;
      appendRecord(FILE, { step, neuron, unbiased: claims.unbiased, draws, variances, engine: engine.name });
      console.error(`step ${step}: ${neuron} ${interval(variances).mean.toPrecision(4)}`);
    }
    if (step >= Math.max(...MARKS)) break;
  }
  engine.close();
}

if (import.meta.main) await run();
