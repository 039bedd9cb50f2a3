/**
 * Which estimator trains a discrete VAE best in ten minutes? The linear one (784 → 200 Bernoulli latents → 784, fair-coin prior,
 * dynamically binarised MNIST, 50,000 training pictures), Adam 0.001, batch 100, one thread, 3 seeds an estimator. Minutes are
 * the process's CPU time spent training (user and system, measurement left out), so that other work on the machine does not
 * take from them.
 *
 *     FLIPGRAD_DATA=../shared/data node experiments/vae-equal-time.ts
 *
 * A finished trial stands as a record in results/vae-equal-time.jsonl (page and picture are rendered anew) and is not run again; several of these programs at once
 * share the trials (a lock a trial). A number behind it: so many trials. SIGTERM: the trial under way is finished, no other begun. Trials of neurons that are not there (yet)
 * are left out. The first eight estimators come first, seed by seed, then the others.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
} from '../src/index.ts';
import { zoo } from '../src/neurons/index.ts';
import { createEngine, loadDataset } from '../src/platform/node/index.ts';
import { lineChart } from './line-chart.ts';
import { appendRecord, readRecordsOf, writeTable } from './records.ts';
import { interval } from './statistics.ts';

const FILE = 'vae-equal-time.jsonl';
const SEEDS = [1, 2, 3];
const SECONDS = 600;
/** CPU seconds at which the ELBO of 10,000 training pictures is taken. */
const MARKS = [5, 10, 20, 40, 60, 90, 120, 180, 240, 300, 360, 420, 480, 540, 600];
const PICTURES = 10_000;

/** Those that run first. */
const CORE = 8;

/** Every estimator in the race, with the options that it runs with. */
export const ESTIMATORS: readonly string[] = [
  'rloo',
  'disarm',
  'double-cv',
  'concrete',
  'stochastic-binary',
  'rebar',
  'reinmax',
  'muprop',
  'straight-through-gumbel',
  'straight-through-derivative',
  'arm',
  'rodeo',
  'vimco',
  'relax',
  'rloo:K=4',
  'arms',
  'nvil',
  'straight-through',
  // As MuProp was measured first; no paper runs it bare.
  'muprop:baseline=none',
];

/** The commit whose code runs: later ones do not reach a process that has begun. */
const code = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

/** One estimator and seed, at the end of its time; nats a picture. */
export interface VaeRecord {
  readonly neuron: string;
  readonly seed: number;
  /** CPU seconds of training, and how many steps they held. */
  readonly seconds: number;
  readonly steps: number;
  readonly curve: readonly { readonly seconds: number; readonly steps: number; readonly elbo: number }[];
  /** Over all 50,000 training pictures, one binarisation. */
  readonly trainElbo: number;
  readonly testElbo: number;
  /** Of `samples` draws. */
  readonly testBound: number;
  readonly samples: number;
  readonly engine: string;
  readonly threads: number;
  readonly dataChecksum: string;
  /** Commit when the program began. */
  readonly code: string;
}

export const readVaeRecords = (): VaeRecord[] => readRecordsOf<VaeRecord>(FILE);

/** In the order of their mean train ELBO, the best first. */
function ranked(records: readonly VaeRecord[]): { neuron: string; runs: VaeRecord[] }[] {
  const groups = ESTIMATORS.map((neuron) => ({
    neuron,
    runs: records.filter((record) => record.neuron === neuron).sort((a, b) => a.seed - b.seed),
  })).filter(({ runs }) => runs.length > 0);
  const mean = (runs: readonly VaeRecord[]) => interval(runs.map(({ trainElbo }) => trainElbo)).mean;
  return groups.sort((a, b) => mean(b.runs) - mean(a.runs));
}

/** The table as Markdown, from the records alone. */
export function renderVaeEqualTime(records: readonly VaeRecord[]): string {
  const groups = ranked(records);
  const shown = (values: readonly number[]): string => {
    const { mean, half } = interval(values);
    return Number.isNaN(half) ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${half.toFixed(2)}`;
  };
  const rows = groups.map(({ neuron, runs }) => {
    const steps = runs.reduce((sum, run) => sum + run.steps, 0) / runs.length;
    const bounds = [
      runs.map(({ trainElbo }) => trainElbo),
      runs.map(({ testElbo }) => testElbo),
      runs.map(({ testBound }) => testBound),
    ];
    const milliseconds = (1000 * runs.reduce((sum, run) => sum + run.seconds, 0)) / (steps * runs.length);
    const trials = [neuron, runs.length, steps.toFixed(0), milliseconds.toFixed(1), ...bounds.map(shown)];
    return `| ${trials.join(' | ')} |`;
  });
  const complete = groups.filter(({ runs }) => runs.length === SEEDS.length).length;
  const engines = [...new Set(records.map(({ engine, threads }) => `${engine}, ${threads} thread`))].join('; ');
  return [
    '# Discrete VAE, equal time',
    '',
    'Linear VAE on dynamically binarised MNIST (784 → 200 Bernoulli latents → 784, fair-coin prior, 50,000 training pictures), Adam 0.001, batch 100.',
    `Every run has ${SECONDS} seconds of the process’s own CPU time (user and system) for its training steps, measurement left out: other work on the machine`,
    'then costs no steps, though it still slows them (shared caches and memory), and a step costs what this library’s implementation of the estimator costs. ELBO: last',
    'weights, the latents drawn from Bernoulli(σ(a)) whatever trained, one draw a picture; bound: importance-weighted, 100 draws. Nats, mean and 95% interval',
    `over seeds (one seed: no interval, and no claim about order). ${records.length} of ${SEEDS.length * ESTIMATORS.length} trials are in, ${complete} estimators with all ${SEEDS.length} seeds. Engine: ${engines}. Made by`,
    '`FLIPGRAD_DATA=../shared/data node experiments/vae-equal-time.ts`, which goes on where it was stopped.',
    '',
    '![ELBO against CPU seconds](vae-equal-time.svg)',
    '',
    '| estimator | seeds | steps | ms a step | train ELBO | test ELBO | test bound, 100 draws |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

/** ELBO of 10,000 training pictures against CPU seconds: the mean over seeds as a line, all seeds as a band. */
export function drawVaeEqualTime(records: readonly VaeRecord[]): string {
  const series = ranked(records).map(({ neuron, runs }) => ({
    name: runs.length === 1 ? `${neuron} (one seed)` : neuron,
    points: runs[0].curve.map((_, i) => {
      const elbos = runs.map(({ curve }) => curve[i].elbo);
      const y = elbos.reduce((sum, elbo) => sum + elbo, 0) / elbos.length;
      return { x: MARKS[i], y, low: Math.min(...elbos), high: Math.max(...elbos) };
    }),
  }));
  return lineChart({
    title: 'Discrete VAE (linear, MNIST): equal CPU time',
    yLabel: 'ELBO of 10,000 training pictures, nats',
    xLabel: 'CPU seconds of training',
    log: { x: true },
    least: -170,
    xTicks: [5, 10, 20, 60, 120, 300, 600],
    yTicks: [-170, -160, -150, -140, -130, -125, -120, -115, -110],
    series,
  });
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function finish(measuring: Generator<number, VaeBound>): VaeBound {
  let step = measuring.next();
  while (!step.done) step = measuring.next();
  return step.value;
}

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
  appendRecord(FILE, { neuron, seed, seconds, steps, curve, trainElbo, testElbo, testBound, samples, ...facts });
  console.error(`${neuron}, seed ${seed}: train ELBO ${trainElbo.toFixed(2)}, test bound ${testBound.toFixed(2)}`);
  engine.close();
}

const LOCKS = new URL('../runs/vae-equal-time/', import.meta.url);

/** This boot of this machine: a process number from before it means nothing. */
const boot = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
};

/** Takes a trial; undefined when a living process has it, or it is done. */
function lockTrial(neuron: string, seed: number): (() => void) | undefined {
  mkdirSync(LOCKS, { recursive: true });
  const file = new URL(`${encodeURIComponent(`${neuron} ${seed}`)}.lock`, LOCKS);
  const own = `${process.pid} ${boot()}`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      if (!isDone(neuron, seed)) return () => rmSync(file, { force: true });
      rmSync(file, { force: true });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAlive(readFileSync(file, 'utf8'))) return undefined;
    rmSync(file, { force: true });
  }
  return undefined;
}

function isAlive(owner: string): boolean {
  const [pid, booted] = owner.split(' ');
  if (booted !== boot()) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
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
      if (trials === 0 || isDone(neuron, seed)) continue;
      const release = lockTrial(neuron, seed);
      if (!release) continue;
      if (trials > 0) trials--;
      try {
        await runTrial(neuron, seed);
        writeTable('vae-equal-time.md', renderVaeEqualTime(readVaeRecords()));
        writeTable('vae-equal-time.svg', drawVaeEqualTime(readVaeRecords()));
      } finally {
        release();
      }
    }
}
