import {
  adam,
  adaptiveWeightNoise,
  createModel,
  ctc,
  dense,
  evaluateTask,
  fixedWeightNoise,
  lstm,
  type Model,
  penStrings,
  type Snapshot,
  train,
  type WeightNoiseSpec,
} from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import type { Experiment, TrialOptions } from '../kit/experiment.ts';
import { reportWeightNoise } from './report.ts';
import { type Reading, type Stop, type WeightNoiseResult, type WeightNoiseTrial, weightNoiseGrid } from './trial.ts';

const BATCH = 4;

const LEARNING_RATE = 0.002;

function readingOf(model: Model, data: Parameters<typeof ctc.check>[1]): Reading {
  const { metrics, loss } = evaluateTask(model, data, ctc, { batch: 64 });
  return { loss, labelError: metrics.labelError, sequenceError: metrics.sequenceError };
}

/** Phases of training: epochs and the noise during them. */
function phasesOf({ variant, epochs }: WeightNoiseTrial): { epochs: number; weightNoise?: WeightNoiseSpec }[] {
  if (variant === 'none') return [{ epochs }];
  if (variant === 'adaptive') return [{ epochs, weightNoise: adaptiveWeightNoise() }];
  if (variant === 'adaptive-after-none') {
    const half = epochs / 2;
    return [{ epochs: half }, { epochs: epochs - half, weightNoise: adaptiveWeightNoise() }];
  }
  return [{ epochs, weightNoise: fixedWeightNoise(Number(variant)) }];
}

/** Keeps the weights of the best evaluation by one measure. */
class Best {
  private readonly measure: (valid: Reading) => number;
  private epoch = 0;
  private valid: Reading | undefined;
  private snapshot: Snapshot = new Map();

  constructor(measure: (valid: Reading) => number) {
    this.measure = measure;
  }

  see(model: Model, epoch: number, valid: Reading): void {
    if (this.valid && this.measure(valid) >= this.measure(this.valid)) return;
    this.epoch = epoch;
    this.valid = valid;
    this.snapshot = model.snapshot();
  }

  stop(model: Model, test: Parameters<typeof ctc.check>[1]): Stop {
    model.restore(this.snapshot);
    return { epoch: this.epoch, valid: this.valid as Reading, test: readingOf(model, test) };
  }
}

const round = (x: number): number => Number(x.toPrecision(4));

/** Trains one net. Everything that is drawn depends on the seed: data, writers, first weights, order, noise. */
async function run(trial: WeightNoiseTrial, { signal, onProgress }: TrialOptions): Promise<WeightNoiseResult> {
  const { seed, evaluateEvery } = trial;
  const training = penStrings({ seed, count: trial.strings, writers: trial.writers });
  const valid = penStrings({ seed, first: 1e6, count: trial.valid, firstWriter: 1000, writers: 100 });
  const test = penStrings({ seed, first: 2e6, count: trial.test, firstWriter: 2000, writers: 400 });
  const engine = await createEngine({ threads: 1 });
  try {
    const layers = [lstm(trial.units, { bidirectional: true }), dense(11)];
    const model = createModel(engine, { inputs: training.width, seed, layers });
    let bests: readonly Best[] = [];
    const curve: WeightNoiseResult['curve'][number][] = [];
    let last: { readonly deviation?: number; readonly complexity?: number } | undefined;
    let done = 0;
    for (const phase of phasesOf(trial)) {
      // Only the last phase counts: weights that an earlier one left are not this variant's.
      bests = [new Best(({ loss }) => loss), new Best(({ sequenceError }) => sequenceError)];
      const optimizer = adam({ learningRate: LEARNING_RATE });
      const own = { batch: BATCH, validateEvery: evaluateEvery, seed: seed + done, optimizer, signal };
      for await (const event of train(model, { train: training, valid, test }, { ...phase, ...own, task: ctc })) {
        if (event.event !== 'epoch') continue;
        const epoch = done + event.epoch;
        const { validLoss: loss, validLabelError: labelError, validSequenceError: sequenceError } = event;
        for (const best of bests) best.see(model, epoch, { loss, labelError, sequenceError });
        curve.push({
          epoch,
          trainLoss: round(event.trainLoss),
          validLoss: round(loss),
          validError: round(sequenceError),
        });
        last = event;
        onProgress(epoch / trial.epochs);
        // The weights of the last epoch go on, not those of the best, which the result would restore.
        if (event.epoch === phase.epochs) break;
      }
      done += phase.epochs;
    }
    const [byLoss, byError] = bests.map((best) => best.stop(model, test));
    return {
      weights: model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0),
      byLoss,
      byError,
      curve,
      ...(last?.complexity !== undefined && { deviation: last.deviation, complexity: last.complexity }),
      engine: engine.name,
      threads: engine.threads,
      checksums: { train: training.checksum, valid: valid.checksum, test: test.checksum },
    };
  } finally {
    engine.close();
  }
}

/** Minutes for a string of an epoch on one core, by units a direction, as measured with 32; noise takes about as long again. */
const MINUTES = 6e-6;

/** Does noise on the weights make a recurrent net read handwriting better? */
export const weightNoise: Experiment<WeightNoiseTrial, WeightNoiseResult> = {
  name: 'weight-noise',
  title: 'Noise on the weights of a recurrent net that reads handwriting',
  question:
    'A recurrent net that reads handwriting from the movement of a pen has more weights than it has lines to learn from. Noise on the weights, fixed or learnt, was said to make such a net read significantly better, on data and with figures that were not published. Does it, for people whose hand the net has never seen?',
  claim: {
    text: 'Alex Graves’ recurrent net that recognizes handwriting works significantly better if noise is added to the weights',
    source:
      'Hinton, Neural Networks for Machine Learning, lecture 9c; Graves 2011, Practical variational inference for neural networks',
    published:
      'No recognition figures. Log-loss of predicting pen strokes (Graves 2013): −1041 nats, with adaptive weight noise −1058.',
    verbatim: true,
  },
  setting: `A bidirectional LSTM reads strings of 1–3 digits in the order of the pen, trained by connectionist temporal classification, Adam ${LEARNING_RATE} for all, not tuned, ${BATCH} strings a step, as many epochs with noise as without; weights are drawn anew for every string. Fixed noise: σ chosen on validation; adaptive noise: Graves 2011; adaptive after none: it starts from the net trained without noise for half of the epochs, as in the retraining of Graves 2013. Writers are imagined: each has a slant, a width, a height, a roundness, an unsteadiness and a speed of the pen, a usual form of every digit, and displaces every control point of it in a way of its own. Test: strings of 400 writers whom neither training nor validation has seen; what is held out are these habits, since all writers share one set of forms of the digits. Weights are without noise then. Log-loss is that of the epoch with the best log-loss on validation, errors are those of the epoch with the fewest strings wrong there (100 other writers). A seed draws everything: data, writers, first weights, order, noise. Log-loss and errors are compared by ratios seed by seed (geometric means), each pair by its own variance; a difference counts where its p (Student’s t), corrected by Holm over what is asked of one size, is under 0.05. Generated handwriting: figures compare with nothing published.`,
  quick: {
    seeds: 3,
    trials: weightNoiseGrid(
      [{ strings: 200, writers: 20, epochs: 120, evaluateEvery: 6, units: 24, valid: 200, test: 500 }],
      ['none', '0.1', 'adaptive'],
    ),
  },
  full: {
    seeds: 5,
    trials: weightNoiseGrid(
      [
        { strings: 300, writers: 20, epochs: 300, evaluateEvery: 6, units: 32, valid: 500, test: 2000 },
        { strings: 2000, writers: 100, epochs: 40, evaluateEvery: 1, units: 32, valid: 500, test: 2000 },
      ],
      ['none', '0.05', '0.1', '0.15', '0.2', 'adaptive', 'adaptive-after-none'],
    ),
  },
  nameOf: ({ variant, strings, seed }) => `${variant}, ${strings} strings, seed ${seed}`,
  minutesOf: ({ variant, strings, epochs, units }) =>
    (strings * epochs * MINUTES * (variant === 'none' ? 1 : 2) * units) / 32 + 0.02,
  run,
  report: reportWeightNoise,
};
