import {
  createModel,
  type Dataset,
  dense,
  type Engine,
  type EpochEvent,
  evaluate,
  gated,
  type Model,
  resolveNeuron,
  sgd,
  train,
} from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { allExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { earlierTable1 } from './earlier.ts';
import { reportTable1 } from './report.ts';
import { gatesOf, ROWS, type Row, type Setting } from './rows.ts';
import {
  EPOCHS,
  FIRST_SEED,
  gridOf,
  SEARCH_SEED,
  settingSearches,
  type TableResult,
  type TableTrial,
} from './trial.ts';

const BATCH = 32;

/** Of the three matrices of the conditional layer, as in the 2013 code (2 in the paper); the output layer is free. */
const MAX_NORM = 2.1;
/** First weights of the output layer are uniform within ±this, as in the 2013 code. */
const OUTPUT_RANGE = 0.05;

/** The last epoch's learning rate as a share of the first's, geometric in between. */
const LAST_RATE = 0.02;

const rowOf = ({ gater }: TableTrial): Row => {
  const row = ROWS.find((candidate) => candidate.gater === gater);
  if (!row) throw new RangeError(`The table has no row "${gater}".`);
  return row;
};

/** The model of a row under a setting, the output layer with its small first weights. */
export function modelOf(engine: Engine, inputs: number, trial: TableTrial, setting: Setting): Model {
  const row = rowOf(trial);
  const layers = [
    gated(row.width * trial.units, gatesOf(row, setting, trial)),
    { ...dense(10), name: OUTPUT, maxNorm: 'none' as const },
  ];
  const model = createModel(engine, { inputs, seed: trial.seed, layers });
  const { name } = model.parameters.find((own) => own.name.startsWith(OUTPUT)) ?? model.parameters[0];
  const weights = model.weights(name);
  const widest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  model.setWeights(
    name,
    weights.map((weight) => (weight * OUTPUT_RANGE) / widest),
  );
  return model;
}
const OUTPUT = 'output';

async function run(
  trial: TableTrial,
  { signal, onProgress, finished = [] }: TrialOptions<TableTrial, TableResult>,
): Promise<TableResult> {
  const search = trial.stage === 'search';
  const setting = search ? trial.settings[0] : settingSearches.best(trial, finished).setting;
  const data = await allExamples(trial, signal);
  const engine = await createEngine({ threads: 1, blas: 'auto' });
  try {
    const model = modelOf(engine, data.train.width, trial, setting);
    const epochs = search ? trial.searchEpochs : trial.epochs;
    const { learningRate, momentum = 0, gaterLearningRate } = setting;
    const options = {
      epochs,
      batch: BATCH,
      optimizer: sgd({ learningRate, momentum }),
      ...(gaterLearningRate !== undefined && { gaterLearningRate }),
      maxNorm: MAX_NORM,
      validation: 'sample' as const,
      decay: LAST_RATE ** (1 / Math.max(1, epochs - 1)),
      signal,
    };
    const seen: EpochEvent[] = [];
    for await (const event of train(model, data, options)) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event === 'epoch') seen.push(event);
      if (event.event !== 'result') continue;
      const best = seen[event.bestEpoch - 1];
      return {
        setting,
        bestEpoch: event.bestEpoch,
        validError: event.validError,
        validLoss: best.validLoss,
        ...(!search && {
          final: {
            criterion: { sampled: event.trainLoss, threshold: evaluate(model, data.train, { mode: 'threshold' }).loss },
            valid: { sampled: event.validError, threshold: errorIn('threshold', model, data.valid) },
            test: event.testError,
            open: event.density,
            multiplyAdds: { training: event.training.executed, test: event.flops.executed, all: event.training.all },
          },
        }),
        curve: seen.map(({ trainLoss, validError, health }) => ({ trainLoss, validError, open: health[0]?.rate ?? 1 })),
        dataChecksum: event.dataChecksum,
        engine: event.engine,
      };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

const errorIn = (mode: 'threshold', model: Model, data: Dataset): number => evaluate(model, data, { mode }).error;

/** Measured on one core of a busy machine, in time of the processor: seconds of an epoch of MNIST, its validation included, with 2,000 gates that have a kernel, or none, or with 200 gates. */
const EPOCH_SECONDS = { kernel: 25, none: 40, narrow: 4 };

function epochSeconds({ width, neuron, settings }: Row): number {
  if (width < 1) return EPOCH_SECONDS.narrow;
  return resolveNeuron(neuron(settings[0])).twin?.fire === undefined ? EPOCH_SECONDS.none : EPOCH_SECONDS.kernel;
}

/** Of the full form. */
const SEEDS = 5;
/** Rows with more epochs than the others, in words. */
const longer = ROWS.flatMap(({ gater, epochs }) => (epochs === undefined ? [] : [`the ${gater} ${epochs}`])).join(', ');

/** Which of the claims about seven gaters hold, with error bars? */
export const table1: Experiment<TableTrial, TableResult> = {
  name: 'table-1',
  title: 'Seven gaters of a conditional computation on MNIST',
  question:
    'A gate that opens one unit in ten would let a network skip nine tenths of its work; but an opening is a jump, and a jump has no gradient to learn by. In 2013 four ways around that were tried against three networks that need no trick, once each. With several seeds, which of them train, and how far can their ranking be trusted?',
  claim: {
    text: 'all the proposed methods train; noise helps the rectifier and the sigmoid; straight-through is the best',
    source: 'Bengio, Léonard, Courville 2013, arXiv:1308.3432, §5 and Table 1, in our words',
    published:
      'Best of a search, one run each, no error bars: test error, threshold: straight-through 1.39%, rectifier 1.60%, noisy rectifier 1.87%, sigmoid + noise 1.87%, stochastic binary neuron 1.89%, sigmoid 1.92%, stochastic times smooth 1.96%.',
  },
  setting: `784 → 400 tanh → 2000 gates over 2000 linear experts → 10; the sigmoid baselines have 200 gates over 200 experts and no target rate. ${BATCH} examples a step; max-norm ${MAX_NORM} on the matrices of the conditional layer and none on the output layer, whose first weights lie within ±${OUTPUT_RANGE} (the 2013 code); first weights and Beta noise of the paper and its code, 10% of the gates to be open (KL or L1). ${EPOCHS} epochs, ${longer}; the epoch with the best validation error of the sampled net, as theirs; test with a threshold that opens 10%, and as sampled. Every row has six settings, which contain the paper’s learning rate of 0.1 and the λ of its code (0.1; of the stochastic binary neuron 1 and 3 times 0.001, summed over 32 examples), tried on validation for a third of the epochs with seed ${SEARCH_SEED}, which is not reported; finals have the fresh seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}. The training criterion is the sampled negative log-likelihood without penalty of the best epoch, as theirs. Written down before the first of these trials. Not as published: learning rates fall geometrically to ${LAST_RATE} of the first (the paper prints no schedule, the code an exponential one of unknown factor), epochs are shuffled where theirs draw minibatches at random, the published curve of straight-through runs 660 epochs and that of the stochastic binary neuron 830. Every row of a seed has the same data and order. One thread, BLAS where there is one. All rows are one model (row + seed + noise of one variance, from all rows together; criteria on a logarithmic scale). What the paper compares is corrected together by Holm; where all pairs of rows are looked at, intervals are Tukey’s. A published figure is of one run: it counts as repeated where it lies within the interval that one more run of ours would fall into 95 times in 100, and only if that interval is no wider than ±0.25 points (two standard errors on 10,000 images); as refuted where it lies outside. ${SAME_IMAGES}`,
  quick: {
    seeds: 3,
    firstSeed: FIRST_SEED,
    trials: gridOf({ data: 'digits', examples: 1000, epochs: 24, units: 200, hidden: 100 }),
  },
  full: {
    seeds: SEEDS,
    firstSeed: FIRST_SEED,
    trials: gridOf({ data: 'mnist', examples: 50_000, epochs: EPOCHS, units: 2000, hidden: 400 }),
  },
  earlier: earlierTable1,
  nameOf: ({ gater, stage, settings, seed }) =>
    stage === 'search' ? `${gater}, search ${JSON.stringify(settings[0])}` : `${gater}, seed ${seed}`,
  minutesOf(trial) {
    const epochs = trial.stage === 'search' ? trial.searchEpochs : trial.epochs + 1.5;
    const seconds = epochSeconds(rowOf(trial));
    return (epochs * seconds * ((trial.examples * (trial.units + 300)) / (50_000 * 2300)) + 1) / 60;
  },
  ready: settingSearches.ready,
  run,
  report: reportTable1,
};
