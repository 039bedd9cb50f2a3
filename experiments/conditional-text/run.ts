import {
  adam,
  contexts,
  createModel,
  type Dataset,
  evaluate,
  type Model,
  type Split,
  slice,
  train,
} from '../../src/index.ts';
import { createEngine, processorTime } from '../../src/platform/node/index.ts';
import { fatesOf } from '../kit/against-frontier.ts';
import { compareTimes } from '../kit/compare-times.ts';
import { modeOf } from '../kit/control-gates.ts';
import type { Experiment, TrialOptions } from '../kit/experiment.ts';
import { packageTexts } from './corpus.ts';
import { CONTEXT, layersOf, NETS, nameOfNet, type TextNet, widen } from './nets.ts';
import { reportConditionalText } from './report.ts';
import { rateSearches, type TextResult, type TextTrial, textGrid } from './trial.ts';

const BATCH = 128;

/** The last epoch's learning rate as a share of the first's, geometric in between. */
const LAST_RATE = 0.05;

/** Points of a training's curve: it is validated so often. */
const POINTS = 16;

/** Examples that are neighbours in a text, where some are taken from all of it. */
const PIECE = 500;

/** Examples of a search, the rates that it tries, and held-out bytes. */
const QUICK = { searchExamples: 20_000, learningRates: [0.002, 0.004, 0.008], valid: 2000, test: 20_000 };
const MEDIUM = { searchExamples: 400_000, learningRates: [0.002, 0.004, 0.008], valid: 10_000, test: 100_000 };
const FULL = {
  searchExamples: 700_000,
  learningRates: [0.0005, 0.001, 0.002, 0.004, 0.008],
  valid: 50_000,
  test: 200_000,
};

/** `count` examples of a part, in pieces spread evenly over it: neighbours are alike. */
function spread(data: Dataset, count: number): Dataset {
  if (data.count <= count) return data;
  const pieces = Math.ceil(count / PIECE);
  const [length, stride] = [Math.ceil(count / pieces), Math.floor(data.count / pieces)];
  const bytes = new Uint8Array(pieces * (length + data.width));
  for (let i = 0; i < pieces; i++)
    bytes.set(slice(data, i * stride, i * stride + length + 1).features, i * (length + data.width));
  return contexts(data.name, bytes, data.width);
}

let kept: Promise<Record<'train' | 'valid' | 'test', Uint8Array>> | undefined;

/**
 * What a trial trains with, each example once, and what it is measured on. An order of all bytes would be drawn anew for every trial, which
 * takes longer than to train on a few.
 */
async function load(
  { valid, test }: TextTrial,
  examples: number,
  signal: AbortSignal,
): Promise<{ readonly split: Split; readonly test: Dataset }> {
  kept ??= packageTexts(signal).catch((error) => {
    kept = undefined;
    throw error;
  });
  const text = await kept;
  const part = (name: string, bytes: Uint8Array, count: number) => spread(contexts(name, bytes, CONTEXT), count);
  const validPart = part('validation', text.valid, valid);
  return {
    // `train` measures its own test part in every mode, which nobody asks about here.
    split: { train: part('training', text.train, examples), valid: validPart, test: slice(validPart, 0, BATCH) },
    test: part('test', text.test, test),
  };
}

/** @param training multiply-adds of an example in training */
function measured(model: Model, net: TextNet, test: Dataset, training: number) {
  const { loss, error, flops } = evaluate(model, test, { mode: modeOf(net.gates?.neuron) });
  return { testNats: loss, testError: error, multiplyAdds: { test: flops.executed, training } };
}

async function run(
  trial: TextTrial,
  { signal, onProgress, finished = [] }: TrialOptions<TextTrial, TextResult>,
): Promise<TextResult> {
  const search = trial.stage === 'search';
  const learningRate = search ? trial.learningRates[0] : rateSearches.best(trial, finished).learningRate;
  const examples = search ? trial.searchExamples : trial.examples;
  const { split, test } = await load(trial, examples, signal);
  const engine = await createEngine({ threads: 1, blas: 'auto' });
  try {
    const model = createModel(engine, { inputs: CONTEXT, seed: trial.seed, layers: layersOf(trial.net) });
    widen(model, trial.net);
    const curve: TextResult['curve'][number][] = [];
    let [milliseconds, mark] = [0, processorTime()];
    const training = train(model, split, {
      ...{ epochs: POINTS, examplesPerEpoch: Math.floor(examples / POINTS), batch: BATCH, signal },
      validation: modeOf(trial.net.gates?.neuron),
      optimizer: adam({ learningRate }),
      decay: LAST_RATE ** (1 / (POINTS - 1)),
    });
    for await (const event of training) {
      if (event.event === 'batch') {
        const now = processorTime();
        milliseconds += now - mark;
        mark = now;
        onProgress((0.9 * (event.epoch - 1 + event.batch / event.batches)) / POINTS);
      }
      if (event.event === 'epoch') {
        const validNats = event.validLoss;
        curve.push({ seconds: milliseconds / 1000, examples: event.epoch * Math.floor(examples / POINTS), validNats });
        mark = processorTime();
      }
      if (event.event !== 'result') continue;
      const { dataChecksum, engine: name, bestEpoch, density, training: work } = event;
      const common = { learningRate, validNats: curve[bestEpoch - 1].validNats, curve, dataChecksum, engine: name };
      if (search) return common;
      const times =
        trial.against.length > 0 &&
        (await compareTimes(
          model,
          trial.against.map(layersOf),
          { ...split, test },
          { batch: BATCH, many: BATCH, optimizer: adam({ learningRate }), signal },
        ));
      return {
        ...common,
        final: {
          ...measured(model, trial.net, test, work.executed),
          open: density,
          ...fatesOf(model),
          ...(times && { times }),
        },
      };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Do gates pay where capacity binds and nothing is fitted twice? */
export const conditionalText: Experiment<TextTrial, TextResult> = {
  name: 'conditional-text',
  title: 'Block gates against dense nets on text: bits a byte, multiply-adds, measured time',
  question:
    'On MNIST a small dense net is as good as any, so gates have nothing to save. Text is another matter: every doubling of a net helps, and in one pass nothing is fitted twice. Is a net with thousands of units, of which each byte wakes a few, better than the dense net that costs as much time?',
  claim: {
    text: 'sparse stochastic gates turn off large chunks of the computation of large networks',
    source:
      'Bengio, Léonard, Courville 2013, arXiv:1308.3432, abstract, in our words; here on the clock, at equal error',
    published:
      'None of theirs on large nets. Shazeer et al. 2017, word-level language model: a mixture of experts with the computation of an LSTM of 8.4 million multiply-adds a word reaches a perplexity 24% lower.',
  },
  setting: `The next byte from the ${CONTEXT} before it, of all .js, .ts and .md files that npm ci installs (the lock file pins them; none over 400 kB, each content once), split by package: 90% to train with, 5% each for validation and test (${FULL.test} bytes spread over it, ${MEDIUM.test} in the medium form). Embedding of 16 numbers a byte → 256 rectifiers → dense rectifiers, or rectifiers in blocks of 64 behind gates with a linear gater (some beside a dense layer) → 256 classes. Weights behind and above gates start as wide as a dense net’s of the units that are open. One pass, ${BATCH} bytes a step, Adam, the first learning rate the best on validation of ${FULL.learningRates.join(', ')} (in the medium form of ${MEDIUM.learningRates.join(', ')}) by a search with a seed of its own on ${FULL.searchExamples} examples, ${MEDIUM.searchExamples} in the medium form, falling geometrically to ${LAST_RATE} of it within the budget. Dense and gated nets train at the same budgets of examples; the dense frontier is the least time, or the fewest multiply-adds, in which a dense net of the ladder comes to a loss, interpolated between its points in the logarithm. One thread, BLAS where it is faster (the engine decides), time of the processor. The ratio holds where the 95% lower bound of a bootstrap over seeds is over 1, Holm-corrected over the gated nets. Controls: gates that learn nothing and have no penalty, at random and by the gater’s random weights. Valid only if the ladder gains at least 0.05 bits a doubling at the gated net’s cost.`,
  quick: { seeds: 2, trials: textGrid(NETS.quick, [40_000], QUICK) },
  medium: { seeds: 3, trials: textGrid(NETS.medium, [1_200_000], MEDIUM) },
  full: {
    seeds: 3,
    trials: textGrid(NETS.full, [500_000, 1_000_000, 2_000_000], FULL),
  },
  nameOf: ({ stage, net, learningRates, examples, seed }) =>
    `${nameOfNet(net)}, ${stage === 'search' ? `search: rate ${learningRates[0]}` : `${examples} examples, seed ${seed}`}`,
  minutesOf({ stage, net, examples, searchExamples, valid, test, against }) {
    // Seconds as measured with BLAS, forward, backward and update.
    const width = net.gates
      ? 5.5e-5 + 1.1e-8 * net.gates.units
      : 2.4e-5 + 5.5e-8 * net.widths.reduce((sum, x) => sum + x, 0);
    const trained = stage === 'search' ? searchExamples : examples;
    // A forward pass is a third of a step.
    const measured = (POINTS * valid + (stage === 'search' ? 0 : test)) / 3;
    return (2 + (trained + measured) * width + 3 * against.length) / 60;
  },
  ready: rateSearches.ready,
  run,
  report: reportConditionalText,
};
