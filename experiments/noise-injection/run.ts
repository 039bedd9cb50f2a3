import { createModel, dense, evaluate, gated, type NeuronSpec, sgd, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { fewExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { renderNoiseInjection } from './report.ts';
import { grid, type InjectionResult, type InjectionTrial, levels } from './trial.ts';

const BATCH = 50;

/** About so many points of the criterion are measured along a training. */
const POINTS = 12;

const NEURONS: Readonly<Record<InjectionTrial['noise'], (scale: number) => NeuronSpec>> = {
  none: () => 'sigmoid',
  additive: (scale) => ({ name: 'noisy-sigmoid', scale }),
  multiplicative: (scale) => ({ name: 'multiplicative-sigmoid', scale }),
};

async function run(trial: InjectionTrial, { signal, onProgress }: TrialOptions): Promise<InjectionResult> {
  const data = await fewExamples(trial, signal);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs, units } = trial;
    const neuron = NEURONS[trial.noise](trial.scale);
    const first = trial.net === 'hidden' ? dense(units, neuron) : gated(units, { neuron, gater: [400], rate: 'none' });
    const model = createModel(engine, { inputs: 784, seed, layers: [first, dense(10)] });
    const every = Math.ceil(epochs / POINTS);
    const curve: InjectionResult['curve'][number][] = [];
    const optimizer = sgd({ learningRate: trial.rate });
    const options = { epochs, batch: BATCH, optimizer, signal, validation: 'mean-field' as const };
    for await (const event of train(model, data, options)) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event === 'epoch' && (event.epoch % every === 0 || event.epoch === epochs))
        curve.push({ epoch: event.epoch, off: evaluate(model, data.train).loss, sampled: event.trainLoss });
      if (event.event !== 'result') continue;
      const { testError, validError, dataChecksum } = event;
      const test = { sampled: testError.sampled, off: testError.meanField };
      return { curve, validError, test, dataChecksum, engine: event.engine };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Does noise in the argument of sigmoid units make the training criterion itself better, as exploration would? */
export const noiseInjection: Experiment<InjectionTrial, InjectionResult> = {
  name: 'noise-injection',
  title: 'Noise in the argument of sigmoid units',
  question:
    'Noise is usually what a network has to bear. The paper suggests that it may help the training criterion itself, by exploring, and prints a table in which the noisy sigmoid gates do train lower. With several seeds, several strengths of noise and the best learning rate for each: does noise help the fit, the test, both, or neither?',
  claim: {
    text: 'additive or multiplicative noise in a graph that is otherwise differentiable; units with noise may train to a better criterion than units without, as exploration would have it',
    source: 'Bengio, Léonard, Courville 2013, §2 and Table 1 (in other words)',
    published:
      'Sigmoid gates: training criterion 3.2e-3 without noise and 1.8e-3 with additive noise, validation error 1.97% and 1.88%, test error 1.92% and 1.87%; one run each.',
  },
  setting: `Hidden: 784 → sigmoid units → 10. Gates: 784 → 400 tanh → sigmoid gates, one for each of as many linear experts → 10, as in the table of 2013. In the full form the hidden layer has 100 units, 5,000 examples, 36 epochs and learning rates 0.3, 1, 3 and 10, the gates are 200, with 10,000 examples, 24 epochs, and 0.1 and 0.3 (with 1 all of 15 trainings, seeds 1 to 3, left the finite numbers within 50 steps): fewer examples, and no max-norm, against 2013, so that published figures stand beside without being compared. Plain gradient descent, ${BATCH} examples a step. Additive: σ(a + s·z); multiplicative: σ(a(1 + s·z)), z standard normal, s a standard deviation; gradients go through the noise. Every arm of a seed has the same data, order and first weights, and its best learning rate of those tried, by the mean criterion of the last epoch with the noise off (chosen on the same seeds, for the arm without noise too, and kept for its test error). Levels are compared with no noise seed by seed, criteria by their ratios, each pair by its own variance (little noise changes little, so that deviations lie orders of magnitude apart); a difference counts where its p (Student’s t), corrected by Holm over the levels, is under 0.05. s = 1 was asked about in advance. Epochs are chosen on validation with the noise off. Learning rates do not fall. ${SAME_IMAGES}`,
  quick: {
    seeds: 3,
    trials: grid([
      {
        setting: { data: 'digits', net: 'hidden', examples: 500, units: 32, epochs: 48 },
        rates: [0.5, 2],
        noises: levels([0.3, 1, 3], [0.3, 1]),
      },
    ]),
  },
  full: {
    seeds: 5,
    trials: grid([
      {
        setting: { data: 'mnist', net: 'hidden', examples: 5000, units: 100, epochs: 36 },
        rates: [0.3, 1, 3, 10],
        noises: levels([0.1, 0.3, 1, 3], [0.3, 1]),
      },
      {
        setting: { data: 'mnist', net: 'gates', examples: 10_000, units: 200, epochs: 24 },
        rates: [0.1, 0.3],
        noises: levels([0.3, 1, 3], [1]),
      },
    ]),
  },
  nameOf: ({ net, noise, scale, rate, seed }) =>
    `${net}, ${noise}${scale > 0 ? ` ${scale}` : ''}, learning rate ${rate}, seed ${seed}`,
  // Examples trained on, validated and evaluated, each with its multiply-adds and what they come with; then data.
  minutesOf: ({ data, net, examples, units, epochs }) => {
    const work = net === 'hidden' ? 794 * units : 794 * units + 784 * 400 + 400 * units;
    const rows = epochs * (3.4 * examples + 2 * (data === 'mnist' ? 2000 : 500)) + 2e4;
    return (rows * (work / 1.2e10 + 5e-6) + (data === 'mnist' ? 1 : 0.3)) / 60;
  },
  run,
  report: renderNoiseInjection,
};
