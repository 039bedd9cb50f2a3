import { adam, createModel, type Dataset, digitsSplit, evaluate, type Split, slice, train } from '../../src/index.ts';
import { createEngine, loadDataset, processorTime } from '../../src/platform/node/index.ts';
import { fatesOf } from '../kit/against-frontier.ts';
import { compareTimes } from '../kit/compare-times.ts';
import { modeOf } from '../kit/control-gates.ts';
import type { Experiment, TrialOptions } from '../kit/experiment.ts';
import { fastestBlas } from '../kit/fastest-engine.ts';
import { distorted } from './distort.ts';
import { layersOf, NETS, nameOfNet } from './nets.ts';
import { reportConditionalImages } from './report.ts';
import { type ImageResult, type ImageTrial, imageGrid, LEARNING_RATES, rateSearches } from './trial.ts';

const BATCH = 64;
/** The last epoch's learning rate as a share of the first's, geometric in between. */
const LAST_RATE = 0.05;
/** Writes the digits and draws the distortions, the same for every trial. */
const DATA_SEED = 1;

/** All parts distorted: what is asked at test is as hard as what was trained on. */
async function load({ data, examples }: ImageTrial, signal: AbortSignal): Promise<Split> {
  const held = Math.min(10_000, Math.max(1000, Math.floor(examples / 2)));
  const {
    train: own,
    valid,
    test,
  } = data === 'digits'
    ? digitsSplit({ seed: DATA_SEED, train: examples, valid: held, test: held, heldOutWriters: true })
    : await loadDataset(data, { signal });
  const part = (of: Dataset, count: number, seed: number) => distorted(slice(of, 0, Math.min(of.count, count)), seed);
  return { train: part(own, examples, 1), valid: part(valid, held, 2), test: part(test, held, 3) };
}

async function run(
  trial: ImageTrial,
  { signal, onProgress, finished = [] }: TrialOptions<ImageTrial, ImageResult>,
): Promise<ImageResult> {
  const search = trial.stage === 'search';
  const learningRate = search ? trial.learningRates[0] : rateSearches.best(trial, finished).learningRate;
  const epochs = search ? trial.searchEpochs : trial.epochs;
  const data = await load(trial, signal);
  const net = { inputs: 784, seed: trial.seed, layers: layersOf(trial.net) };
  const optimizer = adam({ learningRate });
  const blas = await fastestBlas(net, data.train, { batch: BATCH, optimizer, signal });
  const engine = await createEngine({ threads: 1, blas });
  try {
    const model = createModel(engine, net);
    const mode = modeOf(trial.net.gates?.neuron);
    let [milliseconds, mark, validNats] = [0, processorTime(), Number.NaN];
    // The test part is measured once, below, in the one mode that is asked about.
    const split = { ...data, test: slice(data.test, 0, BATCH) };
    const training = train(model, split, {
      ...{ epochs, batch: BATCH, signal, optimizer, validation: mode },
      decay: LAST_RATE ** (1 / Math.max(1, epochs - 1)),
    });
    for await (const event of training) {
      if (event.event === 'batch') {
        milliseconds += processorTime() - mark;
        mark = processorTime();
        onProgress((0.9 * (event.epoch - 1 + event.batch / event.batches)) / epochs);
      }
      if (event.event === 'epoch') {
        if (event.best) validNats = event.validLoss;
        mark = processorTime();
      }
      if (event.event !== 'result') continue;
      const { dataChecksum, engine: name, density, training: work } = event;
      const common = { learningRate, validNats, seconds: milliseconds / 1000, dataChecksum, engine: name };
      if (search) return common;
      const gates = fatesOf(model);
      const times =
        trial.against.length > 0 &&
        (await compareTimes(model, trial.against.map(layersOf), data, {
          batch: BATCH,
          many: BATCH,
          optimizer,
          signal,
        }));
      const { loss, error, flops } = evaluate(model, data.test, { mode });
      const multiplyAdds = { test: flops.executed, training: work.executed };
      const measured = { testNats: loss, testError: error, multiplyAdds, open: density, ...gates };
      return { ...common, final: { ...measured, ...(times && { times }) } };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Do gates pay in convolutional nets, where layers can be skipped and channels left out? */
export const conditionalImages: Experiment<ImageTrial, ImageResult> = {
  name: 'conditional-images',
  title: 'Skipped layers and channel blocks against dense residual nets on distorted pictures',
  question:
    'A picture that is easy to tell needs fewer layers and channels than one that is hard. Is a residual convolutional net that skips blocks, or computes some of its channels alone, better than the dense net that costs as much time?',
  claim: {
    text: 'conditional computation reaches the error of a dense net at a fraction of its time',
    source:
      'E. Bengio, Bacon, Pineau, Precup 2015, arXiv:1511.06297, in our words, on fully connected nets; of skipped layers: Wang et al. 2018 (SkipNet), Veit and Belongie 2018 (ConvNet-AIG)',
    published:
      'Of 2015, one core: CIFAR-10: 0.497 error in 2.0 s against 8.34 s for a dense net of that error, at best 5.7 times; SVHN: 0.073 in 10.2 s against 0.091 in 16.8 s. Their gates are also here: a policy trained by the loss (stochastic-binary) with the penalties batch-rate, example-rate and variance.',
  },
  setting: `Pictures of 28 × 28, each under an affine map of its own (turned up to 20°, sheared, stretched, moved), at test as in training: the library’s digits by writers that no other part has, and Fashion-MNIST. 3 × 3 convolutions on 14 × 14 points: a first one with a stride of 2, then residual blocks (norm, convolution of rectifiers, convolution), norm, means over 7 × 7, 10 classes. Gated: whole residual blocks that each picture skips or not, or the channels of each block’s first convolution in four blocks; gaters of 8 hidden units on what the channels are on average, which pass no gradient to the layers below. Adam, ${BATCH} pictures a step, the first learning rate the best of ${LEARNING_RATES.join(', ')} on validation (a search with a seed of its own), falling geometrically to ${LAST_RATE} of it. The dense frontier is the least time, or the fewest multiply-adds, in which a dense net of the ladder comes to a loss, interpolated between its points in the logarithm, at the same budget. One thread, trained with BLAS where a net’s step is faster with it, time of the processor. The ratio holds where the 95% lower bound of a bootstrap over seeds is over 1, Holm-corrected over the gated nets. Control: gates at random, at the same rate. Valid only if the ladder lowers the loss by 5% a doubling at the gated net’s cost.`,
  quick: {
    seeds: 2,
    trials: imageGrid(NETS.quick, [{ data: 'digits', examples: 1000, epochs: 4, searchEpochs: 1 }]),
  },
  medium: {
    seeds: 3,
    trials: imageGrid(NETS.medium, [{ data: 'digits', examples: 10_000, epochs: 6, searchEpochs: 2 }]),
  },
  full: {
    seeds: 3,
    trials: imageGrid(NETS.full, [
      { data: 'digits', examples: 10_000, epochs: 20, searchEpochs: 4 },
      { data: 'digits', examples: 100_000, epochs: 10, searchEpochs: 4 },
      { data: 'fashion-mnist', examples: 50_000, epochs: 15, searchEpochs: 2 },
    ]),
  },
  nameOf: ({ stage, data, net, learningRates, examples, seed }) =>
    `${nameOfNet(net)}, ${stage === 'search' ? `search: rate ${learningRates[0]}, ${data}` : `${examples} of ${data}, seed ${seed}`}`,
  minutesOf({ stage, net: { channels, depth, gates }, examples, epochs, searchEpochs, against }) {
    // Seconds an example of a step, as measured: two convolutions a block.
    const step = 1e-4 + (gates?.of === 'layers' ? gates.rate : 1) * depth * (4e-5 * channels + 1.2e-6 * channels ** 2);
    const trained = examples * (stage === 'search' ? searchEpochs : epochs);
    return (2 + trained * step + 4 * against.length) / 60;
  },
  ready: rateSearches.ready,
  run,
  report: reportConditionalImages,
};
