import { createModel, sgd, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { fewExamples } from '../kit/digit-data.ts';
import { type Experiment, SAME_IMAGES, type TrialOptions } from '../kit/experiment.ts';
import { armOf, QUESTIONS } from './arms.ts';
import { reportGateQuestions } from './report.ts';
import { grid, type QuestionResult, type QuestionTrial } from './trial.ts';

const BATCH = 32;

async function run(trial: QuestionTrial, { signal, onProgress }: TrialOptions): Promise<QuestionResult> {
  const data = await fewExamples(trial, signal);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs, rate } = trial;
    const { layers, mode = 'threshold' } = armOf(trial.question, trial.arm);
    const model = createModel(engine, { inputs: data.train.width, seed, layers: layers() });
    const open: number[] = [];
    let dead = 0;
    const options = {
      epochs,
      batch: BATCH,
      optimizer: sgd({ learningRate: rate }),
      maxNorm: 2,
      validation: mode,
      signal,
    };
    for await (const event of train(model, data, options)) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event === 'epoch') {
        const [health] = event.health;
        open.push(health?.rate ?? 1);
        dead = health ? health.dead / health.units : 0;
      }
      if (event.event !== 'result') continue;
      const { testError, validError, training, dataChecksum } = event;
      const error = mode === 'sample' ? testError.sampled : testError.threshold;
      return { validError, testError: error, open, dead, work: training.executed, dataChecksum, engine: event.engine };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** Small questions about gates that nothing else here asks, each with its controls. */
export const gateQuestions: Experiment<QuestionTrial, QuestionResult> = {
  name: 'gate-questions',
  title: 'Small questions about gates, with their controls',
  question:
    'Four things that are said of gates can be asked in minutes. Do gates close for good at a high learning rate, and does a nudge of their biases help? Do sparse updates help by themselves, without sparse activity? Is it better to open several small blocks than one large one, for the same work? And do gates that learn do better than gates that are drawn, or hashed?',
  claim: {
    text: 'gates may die, and a nudge would revive them; sparse updates help optimisation; a distributed choice of several parts is better than one of a mixture of experts; the choice is learnt',
    source:
      'Bengio, Léonard, Courville 2013, arXiv:1308.3432, §1, §3 and §5 (in other words); controls as in Roller et al. 2021',
    published: 'No numbers were published.',
  },
  setting: `Written down and committed before the first trial ran. In the full form 5,000 examples of MNIST, which the seed draws, and 6 epochs (closed gates: 10,000 and 3), 3 seeds, plain gradient descent, ${BATCH} examples a step, max-norm 2, the epoch with the best validation error (2,000 examples). Closed gates: the noisy rectifier row of the 2013 table (784 → 400 tanh → 2,000 gates over 2,000 linear experts, a tenth to be open by an L1 penalty) at a learning rate of 0.3, with and without \`nudge\`; and with the library’s controller of the rate, which the first two arms had by mistake when they ran first: they ran again without it, those records are this arm’s. The others take the better of the rates 0.1 and 0.3 by the mean validation error over seeds. Sparse updates: 256 rectifiers; the pass is dense, an example updates a unit with a probability, its gradient divided by that. k of n: an eighth of 1,024 rectifiers open in blocks of 128, 32 or 8, by top-k gates that multiply by the sigmoid of their logit; the experts’ work is the same, the gater’s is 8, 32 and 128 logits. Learnt gates: noisy top-k over blocks of 32; hash routing opens by a gater that stays at its random weights; random opens any, and is validated and tested as sampled. (These two controls had penalties at first, which taught their gaters, and random ones were validated at a threshold: both ran again.) Arms of a question are one model over seeds; its comparisons with the first arm are corrected by Holm. Hypotheses: without the nudge over half of the gates are dead at the end (they open for under 0.1% of the examples), with it under a tenth; sparse updates alone do not lower the test error; 4 of 32 errs less than 1 of 8; learnt gates err less than hashed ones, and these than random ones. ${SAME_IMAGES}`,
  quick: {
    seeds: 3,
    trials: grid({ data: 'digits', examples: 500, epochs: 4, closing: { examples: 500, epochs: 4 } }),
  },
  full: {
    seeds: 3,
    trials: grid({ data: 'mnist', examples: 5000, epochs: 6, closing: { examples: 10_000, epochs: 3 } }),
  },
  nameOf: ({ question, arm, rate, seed }) => `${question}: ${arm}, learning rate ${rate}, seed ${seed}`,
  minutesOf: ({ data, question, examples, epochs }) =>
    (examples * epochs * (QUESTIONS[question].long ? 2e-3 : 2e-4) + (data === 'mnist' ? 2 : 0.5)) / 60,
  run,
  report: reportGateQuestions,
};
