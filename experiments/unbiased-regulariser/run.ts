import { createModel, dense, type NeuronSpec, resolveNeuron, sgd, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { fewExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import type { curvatureTask } from '../why-slow/curvature-objective.ts';
import { HYPOTHESES, reportUnbiasedRegulariser } from './report.ts';
import { ARMS, grid, type UnbiasedResult, type UnbiasedTrial } from './trial.ts';

const BATCH = 50;

async function run(trial: UnbiasedTrial, { signal, onProgress }: TrialOptions): Promise<UnbiasedResult> {
  const data = await fewExamples(trial, signal);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs, rate, widths } = trial;
    const { neuron, task }: { neuron: NeuronSpec; task?: typeof curvatureTask } = ARMS[trial.arm];
    const layers = [...widths.map((units) => dense(units, neuron)), dense(10)];
    const model = createModel(engine, { inputs: 784, seed, layers });
    const optimizer = sgd({ learningRate: rate });
    const options = { epochs, batch: BATCH, optimizer, signal, validation: 'mean-field' as const };
    for await (const event of train(model, data, { ...options, ...(task && { task }) })) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event !== 'result') continue;
      const { testError, validError, trainLoss, bestEpoch, dataChecksum } = event;
      return {
        ...{ validError, testError: testError.meanField, trainLoss, bestEpoch },
        ...{ dataChecksum, engine: event.engine },
      };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Does noise of bits regularise only where the gradient is that of the noisy loss? */
export const unbiasedRegulariser: Experiment<UnbiasedTrial, UnbiasedResult> = {
  name: 'unbiased-regulariser',
  title: 'Bits as a regulariser, by a biased and by an unbiased gradient',
  question:
    'Random bits in the place of smooth units were said to be a regulariser, and are trained by a gradient that is not that of the noisy loss. In an earlier experiment they gained nothing that way, and as much as a penalty on curvature once the gradient was unbiased; but that was seen after the fact, at one size. Is it so for other widths, two layers, and fresh seeds?',
  claim: {
    text: 'the noise of bits regularises only where the gradient is unbiased for the loss with the noise',
    source: 'a hypothesis of this repository, seen after the fact in the records of why-slow',
    published:
      'There, at one width and rate: test error against smooth units 0.01 ± 0.28 points with bits, −0.90 ± 0.27 with an unbiased gradient, −0.80 ± 0.21 with the curvature penalty.',
  },
  setting: `Written down and committed before the first trial ran. 784 → one layer of 16, 32 or 64 units, or two of 16 → 10, plain gradient descent, ${BATCH} examples a step, 1,000 examples of MNIST, which the seed draws, 60 epochs, the epoch with the best validation error (2,000 examples, noise off). Seeds 11 to 18, which no other experiment here has. Learning rates 0.3, 1 and 3, each arm of a size at the one with the best mean validation error. “Bits” are trained as in why-slow (straight-through times σ′), “unbiased” by the local expectation (every unit flipped); the curvature penalty ½Σp(1 − p)∂²C/∂h² is exact, on smooth units of one layer. Hypotheses, for all sizes together and for each: bits with the unbiased gradient err less than smooth units; bits as they are usually trained do not; the first err less than the second. All arms of a size are one model of logarithms of errors; each of the ${HYPOTHESES.length} questions (the last: does the curvature penalty alone lower errors?) is a family over sizes, corrected by Holm. ${SAME_IMAGES}`,
  quick: { seeds: 3, firstSeed: 11, trials: grid({ data: 'digits', examples: 300, epochs: 15 }, [[16]], [1]) },
  full: {
    seeds: 8,
    firstSeed: 11,
    trials: grid({ data: 'mnist', examples: 1000, epochs: 60 }, [[16], [32], [64], [16, 16]], [0.3, 1, 3]),
  },
  nameOf: ({ arm, widths, rate, seed }) => `${arm}, ${widths.join('-')}, learning rate ${rate}, seed ${seed}`,
  minutesOf: ({ arm, widths, examples, epochs, data }) => {
    // Of the loss, for one gradient: every draw of a layer goes through all draws of those above.
    const { draws = 1 } = resolveNeuron(ARMS[arm].neuron);
    const evaluations = widths.reduce((all, units) => all * (typeof draws === 'function' ? draws(units) : draws), 1);
    const steps = (epochs * examples) / BATCH;
    return (steps * (0.0015 + 0.00002 * evaluations) + (data === 'mnist' ? 2 + 0.05 * epochs : 0.5)) / 60;
  },
  run,
  report: reportUnbiasedRegulariser,
};
