import {
  createModel,
  type Dataset,
  dense,
  type EstimatorProbeRow,
  evaluate,
  type Model,
  randomStream,
  resolveNeuron,
  sgd,
  train,
} from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { fewExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { type Fired, noiseForm } from './noise-form.ts';
import { renderWhySlow } from './report.ts';
import { ARMS, type Arm, GAUSSIAN, grid, MANY, type Point, UNBIASED, type WhyResult, type WhyTrial } from './trial.ts';

const BATCH = 50;

/** Draws that the sampled criterion is the mean of. */
const DRAWS = 2;

/** Epochs after which the form of the noise is measured; it is measured after the last, too. */
const FORM_EPOCHS = [0, 1, 3, 10];

const FORM = { examples: 50, samples: 200, bits: [1, 4, 16] };

const PROBE = { neurons: [UNBIASED, 'disarm', GAUSSIAN, 'binomial:m=4'], every: 50 };

async function run(trial: WhyTrial, { signal, onProgress }: TrialOptions): Promise<WhyResult> {
  const data = await fewExamples(trial, signal);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs } = trial;
    const { neuron, task, looked }: Arm = ARMS[trial.arm];
    const layers = [dense(trial.units, neuron), dense(10)];
    const model = createModel(engine, { inputs: 784, seed, layers });
    const curve = [criterion(model, data.train, 0)];
    const forms = looked ? formsAfter(0, model, data.train, seed) : [];
    const probed: EstimatorProbeRow[] = [];
    const optimizer = sgd({ learningRate: trial.rate });
    const options = { epochs, batch: BATCH, optimizer, signal, validation: 'mean-field' as const };
    const own = { ...(task && { task }), ...(looked?.probes && { estimatorProbe: PROBE }) };
    let steps = 0;
    for await (const event of train(model, data, { ...options, ...own })) {
      if (event.event === 'batch') {
        steps++;
        onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      }
      if (event.event === 'epoch') {
        curve.push(criterion(model, data.train, steps));
        probed.push(...(event.estimatorProbe ?? []));
        if (looked && (FORM_EPOCHS.includes(event.epoch) || event.epoch === epochs))
          forms.push(...formsAfter(event.epoch, model, data.train, seed));
      }
      if (event.event !== 'result') continue;
      const { testError, dataChecksum } = event;
      const test = { sampled: testError.sampled, off: testError.meanField };
      return { curve, test, forms, probed: probed.map(kept), dataChecksum, engine: event.engine };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

const kept = ({
  neuron,
  trains,
  variance,
  ratio,
  distance,
  squaredMean,
}: EstimatorProbeRow): WhyResult['probed'][number] => ({
  neuron,
  trains,
  variance,
  ratio,
  distance,
  squaredMean,
});

function criterion(model: Model, data: Dataset, step: number): Point {
  const off = evaluate(model, data).loss;
  if (model.stochasticSites.length === 0) return { step, sampled: off, off };
  const draws = Array.from({ length: DRAWS }, (_, i) => evaluate(model, data, { mode: 'sample', draw: 1 + i }).loss);
  return { step, sampled: draws.reduce((sum, loss) => sum + loss, 0) / DRAWS, off };
}

/** The noise that bits would put into the network as it stands. */
function formsAfter(epoch: number, model: Model, data: Dataset, seed: number): WhyResult['forms'][number][] {
  const [w, b, weights, bias] = model.parameters.map(({ name }) => model.weights(name));
  const fired = Array.from({ length: FORM.examples }, (_, example): Fired => {
    const logits = Float64Array.from(b);
    for (let x = 0, at = 0; x < data.width; x++) {
      const feature = data.features[example * data.width + x] * data.scale;
      for (let i = 0; i < logits.length; i++, at++) logits[i] += feature * w[at];
    }
    return { p: logits.map((a) => 1 / (1 + Math.exp(-a))), label: data.labels[example] };
  });
  const { uniform } = randomStream(seed, epoch);
  const { samples } = FORM;
  return FORM.bits.map((m) => {
    return { epoch, bits: m, ...noiseForm(fired, { weights, bias }, { samples, m, uniform }) };
  });
}

/** Why do binary stochastic units train slowly, what form does their noise have, and is its curvature penalty the regulariser? */
export const whySlow: Experiment<WhyTrial, WhyResult> = {
  name: 'why-slow',
  title: 'Why binary stochastic units train slowly',
  question:
    'Networks of random bits train slowly, and three reasons have been given. Which one is it matters: a noisy gradient can be averaged, a wrong gradient can be replaced, but information that a bit does not carry is gone. Here one thing is changed at a time. And if the bits’ noise does nothing but add a penalty on curvature, one could have the penalty without the noise.',
  claim: {
    text: 'the gradient becomes stochastic; quantising p to one bit loses information; the true gradient through the sample is 0, and another one is used. Does the noise that is added to the gradient have a specific form?',
    source: 'Maharaj 2016, “Why binary stochastic units train slowly”, on Hinton 2012, lecture 9c (in other words)',
    published: 'No numbers were published.',
  },
  setting: `784 → 32 hidden units → 10, plain gradient descent, ${BATCH} examples a step; in the full form 1,000 examples, which the seed draws, 40 epochs, and learning rates 0.5, 1.5 and 4.5. Every arm of a seed has the same data, order and first weights. “Many passes” are ${MANY}, each with its own noise, averaged; 32 and 64 were cut. “Unbiased” is the local expectation (every unit flipped), whose variance stands in a table beside that of the straight-through gradient. “Gaussian noise” has the mean and variance of a bit and is not quantised; its gradient goes through the noise too and is unbiased, but for “trained as bits”. The curvature penalty ½Σp(1 − p)∂²C/∂h² is exact and stands on the deterministic net. Speed is steps to a training criterion, at each arm’s best learning rate of those tried (chosen on the same seeds), between epochs by interpolation; shares are of the mean logarithm of the ratio of steps, in the mean over the orders in which reasons can be removed (Shapley), so that they add up, with Fieller’s 95% intervals over seeds. The second of the three reasons is two things: quantising, and the variance of the pass, which goes last in every order, since without noise nothing else is left to remove. A reason counts where p of its part, corrected by Holm, is under 0.05. Epochs are chosen on validation with the noise off. What the penalty gives of the regularisation was asked of bits in advance, and of unbiased gradients, whose expected loss is what the penalty is of, after the records were in. ${SAME_IMAGES}`,
  quick: {
    seeds: 3,
    trials: grid({ data: 'digits', examples: 500, units: 32, epochs: 30 }, [1]),
  },
  full: {
    seeds: 8,
    trials: grid({ data: 'mnist', examples: 1000, units: 32, epochs: 40 }, [0.5, 1.5, 4.5]),
  },
  nameOf: ({ arm, rate, seed }) => `${arm}, learning rate ${rate}, seed ${seed}`,
  // Of a step: once, for every pass, for every evaluation of the layer above. Then data, evaluation, and what is looked at.
  minutesOf: ({ arm, examples, units, epochs }) => {
    const { neuron, looked }: Arm = ARMS[arm];
    const { noise, draws = 1 } = resolveNeuron(neuron);
    const evaluations = typeof draws === 'function' ? draws(units) : draws;
    const steps = (epochs * examples) / BATCH;
    return (steps * (0.0012 + 0.00045 * noise + 0.00002 * evaluations) + examples * 0.002 + (looked ? 2 : 0)) / 60;
  },
  run,
  report: renderWhySlow,
};
