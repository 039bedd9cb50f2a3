/**
 * Which estimator trains a discrete VAE best in ten minutes? The linear one (784 → 200 Bernoulli latents → 784, fair-coin prior,
 * dynamically binarised MNIST, 50,000 training pictures), Adam 0.001, batch 100, one thread, 3 seeds an estimator. Minutes are
 * the process's CPU time spent training (user and system, measurement left out), so that other work on the machine does not
 * take from them.
 *
 *     FLIPGRAD_DATA=DIR node experiments/vae-equal-time/run.ts
 *
 * A finished trial stands as a record in results/vae-equal-time.jsonl (page and picture are rendered anew) and is not run again; several of these programs at once
 * share the trials (a lock a trial). A number behind it: so many trials. SIGTERM: the trial under way is finished, no other begun. Trials of neurons that are not there (yet)
 * are left out. The first eight estimators come first, seed by seed, then the others.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  adam,
  createModel,
  measureVae,
  resolveNeuron,
  slice,
  train,
  type VaeBound,
  vae,
  vaeLayers,
} from '../../src/index.ts';
import { zoo } from '../../src/neurons/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';
import { appendRecord, writeTable } from '../kit/records.ts';
import { TrialLocks } from '../kit/trial-locks.ts';
import {
  drawVaeEqualTime,
  ESTIMATORS,
  FILE,
  MARKS,
  readVaeRecords,
  renderVaeEqualTime,
  SECONDS,
  SEEDS,
} from './report.ts';

const PICTURES = 10_000;

/** Those that run first. */
const CORE = 8;

/** The commit whose code runs: later ones do not reach a process that has begun. */
const code = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function finish(measuring: Generator<number, VaeBound>): VaeBound {
  let step = measuring.next();
  while (!step.done) step = measuring.next();
  return step.value;
}

const locks = new TrialLocks(fileURLToPath(new URL('../../runs/vae-equal-time/locks', import.meta.url)));

async function runTrial(neuron: string, seed: number): Promise<void> {
  const data = await loadDataset('mnist');
  const engine = await createEngine({ threads: 1, blas: 'auto' });
  const model = createModel(engine, { inputs: 784, layers: vaeLayers('linear', 784, neuron), seed });
  const part = slice(data.train, 0, PICTURES);
  const curve: { seconds: number; steps: number; elbo: number }[] = [];
  const training = train(model, data, { task: vae(), epochs: 100_000, batch: 100, optimizer: adam() });
  let [seconds, steps] = [0, 0];
  let measured = 0;
  while (seconds < SECONDS) {
    const before = cpuSeconds();
    const { value } = await training.next();
    // Validation belongs to the loop of epochs, and stands outside of the time.
    if (value?.event !== 'batch') continue;
    seconds += cpuSeconds() - before;
    steps++;
    if (seconds < (MARKS[measured] ?? SECONDS)) continue;
    const { elbo } = finish(measureVae(model, part));
    curve.push({ seconds, steps, elbo });
    measured++;
    console.error(`${neuron}, seed ${seed}: ${seconds.toFixed(0)} of ${SECONDS} s, ELBO ${elbo.toFixed(2)}`);
  }
  await training.return();
  const { elbo: trainElbo } = finish(measureVae(model, data.train));
  const { elbo: testElbo, bound: testBound, samples } = finish(measureVae(model, data.test, { samples: 100 }));
  const facts = { engine: engine.name, threads: engine.threads, dataChecksum: data.train.checksum, code };
  const record = { neuron, seed, seconds, steps, curve, trainElbo, testElbo, testBound, samples, ...facts };
  await locks.alone('records', () => appendRecord(FILE, record));
  console.error(`${neuron}, seed ${seed}: train ELBO ${trainElbo.toFixed(2)}, test bound ${testBound.toFixed(2)}`);
  engine.close();
}

const isDone = (neuron: string, seed: number): boolean =>
  readVaeRecords().some((record) => record.neuron === neuron && record.seed === seed);

if (import.meta.main) {
  let trials = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);
  process.on('SIGTERM', () => {
    trials = 0;
  });
  const known = ESTIMATORS.filter((neuron) => Object.hasOwn(zoo, neuron.split(':')[0]));
  for (const neuron of known) resolveNeuron(neuron);
  for (const group of [known.slice(0, CORE), known.slice(CORE)])
    for (const [seed, neuron] of SEEDS.flatMap((one) => group.map((each) => [one, each] as const))) {
      if (trials <= 0 || isDone(neuron, seed)) continue;
      const lock = await locks.take(`${neuron} ${seed}`);
      if (!lock) continue;
      try {
        // Another process may have finished it before the lock was free, or this one was told to stop.
        if (trials <= 0 || isDone(neuron, seed)) continue;
        trials--;
        await runTrial(neuron, seed);
        writeTable('vae-equal-time.md', renderVaeEqualTime(readVaeRecords()));
        writeTable('vae-equal-time.svg', drawVaeEqualTime(readVaeRecords()));
      } finally {
        await lock.release();
      }
    }
}
