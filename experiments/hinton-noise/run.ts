import { adam, createModel, dense, evaluate, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { fewExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { ARMS, TARGET } from './arms.ts';
import { reportHintonNoise } from './report.ts';
import { grid, type NoiseResult, type NoiseTrial } from './trial.ts';

const BATCH = 50;

const LEARNING_RATE = 0.001;

/** Validation examples for one of training, at most: with few examples, 10,000 would take most of the time. */
const VALID_PER_EXAMPLE = 2;

async function run(trial: NoiseTrial, { signal, onProgress }: TrialOptions): Promise<NoiseResult> {
  const data = await fewExamples(trial, signal, VALID_PER_EXAMPLE * trial.examples);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs } = trial;
    const layers = [dense(trial.units, ARMS[trial.arm]), dense(10)];
    const model = createModel(engine, { inputs: 784, seed, layers });
    const optimizer = adam({ learningRate: LEARNING_RATE });
    const curve: NoiseResult['curve'][number][] = [];
    for await (const event of train(model, data, {
      epochs,
      batch: BATCH,
      optimizer,
      signal,
      validation: 'mean-field',
    })) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event === 'epoch') curve.push({ trainLoss: event.trainLoss, validError: event.validError });
      if (event.event !== 'result') continue;
      const reached = curve.findIndex(({ trainLoss }) => trainLoss <= TARGET);
      return {
        trainLoss: curve[curve.length - 1].trainLoss,
        trainError: evaluate(model, data.train).error,
        test: { sampled: event.testError.sampled, meanField: event.testError.meanField },
        ...(reached >= 0 && { epochsToTarget: reached + 1 }),
        curve,
        dataChecksum: event.dataChecksum,
        engine: event.engine,
      };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Is a net of binary stochastic units worse on train, slower, and better on test than the same net without noise? */
export const hintonNoise: Experiment<NoiseTrial, NoiseResult> = {
  name: 'hinton-noise',
  title: 'Binary stochastic hidden units as a regulariser',
  question:
    'Units that fire 0 or 1 at random, in the place of the sigmoid’s smooth output, were once said to make a net harder to train and better on new data, like dropout, which became famous. No number was ever published. Is it true, for which sizes of net and of training set, and does it do better than noise that is easier to have?',
  claim: {
    text: 'It does worse on the training set and trains considerably slower. But it does significantly better on the test set! (unpublished result)',
    source: 'Hinton, Neural Networks for Machine Learning, lecture 9c, 2012',
    published: 'No numbers were published.',
    verbatim: true,
  },
  setting: `784 → logistic hidden layer → 10, Adam ${LEARNING_RATE}, ${BATCH} examples a step, weights of the epoch with the best validation error; in the full form 100, 60 and 20 epochs on 1,000, 5,000 and 50,000 examples, which the seed draws. Every arm of a seed has the same data, order and first weights; the learning rate is one for all arms and not tuned. Dropout keeps half of the units, Gaussian noise has deviation 1. All arms of a size are one model (arm + seed + noise of one variance, from all arms together), criteria and epochs on a logarithmic scale, so that ratios are geometric means; a difference counts where its p, corrected by Holm over the claims of all sizes, is under 0.05. An arm that never comes under ${TARGET} nats counts one epoch more than it ran. The criterion is that of the last epoch, as sampled while it trains: the arm’s noise is in it, which alone makes it worse; the training error is without noise, of the weights that are kept. Validation has ${VALID_PER_EXAMPLE} examples for one of training, at most 10,000 (full form; with 1,000 to learn from, that is what was cut). “In all” is the mean over all sizes, seed by seed, of logarithms of ratios. ${SAME_IMAGES}`,
  quick: { seeds: 3, trials: grid('digits', [100], [{ examples: 500, epochs: 100 }]) },
  full: {
    seeds: 5,
    trials: grid(
      'mnist',
      [100, 400],
      [
        { examples: 1000, epochs: 100 },
        { examples: 5000, epochs: 60 },
        { examples: 50_000, epochs: 20 },
      ],
    ),
  },
  nameOf: ({ arm, examples, units, seed }) => `${arm}, ${units} units, ${examples} examples, seed ${seed}`,
  // Examples trained on and validated on, by the width: a guess until a full grid has run.
  minutesOf: ({ data, examples, units, epochs }) =>
    0.02 +
    (epochs *
      (examples + (data === 'mnist' ? Math.min(10_000, VALID_PER_EXAMPLE * examples) * 0.35 : 200)) *
      (units + 100)) /
      4e8,
  run,
  report: reportHintonNoise,
};
