import { compile, createModel, sgd, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { compareTimes } from '../kit/compare-times.ts';
import { allExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { executedOf, layersOf, multiplyAddsOf, NETS, nameOfNet } from './nets.ts';
import { reportConditionalSpeed } from './report.ts';
import { LEARNING_RATES, rateSearches, type SpeedResult, type SpeedTrial, speedGrid } from './trial.ts';

const BATCH = 50;

/** Examples that are classified together, where times of many at a time are measured. */
const MANY = 100;

/** The last epoch's learning rate as a share of the first's, geometric in between. */
const LAST_RATE = 0.02;

async function run(
  trial: SpeedTrial,
  { signal, onProgress, finished = [] }: TrialOptions<SpeedTrial, SpeedResult>,
): Promise<SpeedResult> {
  const search = trial.stage === 'search';
  const learningRate = search ? trial.learningRates[0] : rateSearches.best(trial, finished).learningRate;
  const data = await allExamples(trial, signal);
  const engine = await createEngine({ threads: 1, blas: 'auto' });
  try {
    const model = createModel(engine, { inputs: data.train.width, seed: trial.seed, layers: layersOf(trial.net) });
    const epochs = search ? trial.searchEpochs : trial.epochs;
    const decay = LAST_RATE ** (1 / Math.max(1, epochs - 1));
    const losses: number[] = [];
    const options = { epochs, batch: BATCH, optimizer: sgd({ learningRate }), decay, signal };
    for await (const event of train(model, data, options)) {
      if (event.event === 'batch') onProgress((0.9 * (event.epoch - 1 + event.batch / event.batches)) / epochs);
      if (event.event === 'epoch') losses.push(event.validLoss);
      if (event.event !== 'result') continue;
      const { validError, bestEpoch, training, dataChecksum } = event;
      const common = { learningRate, validError, validLoss: losses[bestEpoch - 1], dataChecksum, engine: event.engine };
      if (search) return common;
      const { error, multiplyAdds } = compile(model).evaluate(data.test);
      const times =
        trial.net.gates &&
        (await compareTimes(model, trial.against.map(layersOf), data, {
          ...{ batch: BATCH, many: MANY, optimizer: sgd({ learningRate }), signal },
        }));
      const final = {
        testError: error,
        multiplyAdds: { test: multiplyAdds, training: training.executed, all: training.all },
        open: event.density,
        ...(times && { times }),
      };
      return { ...common, final };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** How much faster is a net with block gates than the dense net of the same error? */
export const conditionalSpeed: Experiment<SpeedTrial, SpeedResult> = {
  name: 'conditional-speed',
  title: 'Block gates against dense nets: error, multiply-adds, measured time',
  question:
    'A network whose gates open few blocks of units an example computes a fraction of its weights. But a smaller network is fast, too: gates pay only if the gated net is faster than the dense net that errs as little, on a clock, with the gater’s own work counted. Where is that so, at inference and in training?',
  claim: {
    text: 'conditional computation with block gates reaches the error of a dense net at a fraction of its time',
    source:
      'E. Bengio, Bacon, Pineau, Precup 2015, arXiv:1511.06297, in our words; here the aim is three times on MNIST',
    published:
      'Theirs, one core: MNIST, 16 blocks of 16 units, rate 1/16: 2.3% (dense net of 256 units: 1.9%; of 32 units, the same cost: 2.8%), “too small to speed up”; CIFAR-10: 0.497 error in 2.0 s against 8.34 s for a dense net of that error, at best 5.7 times; SVHN: 0.073 in 10.2 s against 0.091 in 16.8 s.',
  },
  setting: `784 → rectifiers in blocks, a linear gater of one logit a block on the same input → 10, one on a dense layer; dense nets of one and two layers of rectifiers, so that what is beaten is the best that is to be had. Gradient descent without momentum, ${BATCH} examples a step, the first learning rate the best of ${LEARNING_RATES.join(', ')} on validation (a search with a seed of its own), falling geometrically to ${LAST_RATE} of it; epoch by validation. Gates at test: a threshold calibrated to the target rate. “The dense net of the same error” is the one of fewest multiply-adds whose mean validation error is no higher; where none is that good, the best there is, and that is said. A claim of speed holds only where the test does not show the gated net to err more than that dense net, too: otherwise a smaller dense net would have done. “The same time” is the dense net whose measured time is nearest. Errors are compared seed by seed, each pair by its own variance, corrected by Holm where several pairs make one claim; factors of time are geometric means over seeds. Times: every gated net, as trained, in turn with all dense nets in one process, one thread, in time of the processor, which does not run on while another process has it; medians over rounds of the ratio within a round; single examples twenty at a turn; kernels alone (the library’s default), and with BLAS. Straight-through gates compute all blocks while training; the others skip. Cut, after trials with one seed: straight-through, noise-free and top-k gates stand at one or two shapes, and there are no gates at 1/32 and no learning rate of 1 (worse for dense nets, and a gated net lost most of its gates). ${SAME_IMAGES}`,
  quick: {
    seeds: 3,
    trials: speedGrid({ data: 'digits', examples: 2000, epochs: 10, searchEpochs: 3 }, NETS.quick),
  },
  full: {
    seeds: 5,
    trials: speedGrid({ data: 'mnist', examples: 50_000, epochs: 12, searchEpochs: 3 }, NETS.full),
  },
  nameOf: ({ stage, net, learningRates, seed }) =>
    `${nameOfNet(net)}, ${stage === 'search' ? `search: rate ${learningRates[0]}` : `seed ${seed}`}`,
  minutesOf({ stage, net, epochs, searchEpochs, examples, against }) {
    // Seconds as measured with BLAS: an example costs something whatever the net, and open blocks cost more than dense products.
    const epoch = examples * (1.1e-5 + executedOf(net, 784) * (net.gates ? 1.5e-10 : 3.8e-11));
    const timing = against.reduce((sum, dense) => sum + 0.4 + multiplyAddsOf(dense, 784) / 1e6, 0);
    return (1 + epoch * (stage === 'search' ? searchEpochs : epochs) + timing) / 60;
  },
  ready: rateSearches.ready,
  run,
  report: reportConditionalSpeed,
};
