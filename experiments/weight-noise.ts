/**
 * Does noise on the weights make a recurrent net read handwriting better? A bidirectional LSTM reads strings of one to three
 * digits in the order of the pen and is trained by connectionist temporal classification; it is tested on strings of writers whom
 * it has never seen. No noise, fixed Gaussian noise (σ chosen on validation), adaptive noise (Graves 2011), and adaptive noise
 * that starts from the net trained without noise for half of the epochs (as in the retraining of Graves 2013).
 *
 *     node experiments/weight-noise.ts [--quick]
 *
 * Writes a record a cell to results/weight-noise.jsonl as it finishes (a finished cell is not run again; --quick writes
 * results/weight-noise-quick.jsonl) and renders the table and the curves beside it.
 */
import {
  adam,
  adaptiveWeightNoise,
  createModel,
  dense,
  evaluateSequences,
  fixedWeightNoise,
  lstm,
  type Model,
  penStrings,
  type SequenceEpoch,
  type SequenceEvaluation,
  type Snapshot,
  trainSequences,
  type WeightNoiseSpec,
} from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { appendRecord, percent, readRecordsOf, writeTable } from './records.ts';
import { type Interval, interval, paired, verdict } from './statistics.ts';
import { noiseCurves } from './weight-noise-curves.ts';

export const CLAIM = {
  text: 'Alex Graves’ recurrent net that recognizes handwriting works significantly better if noise is added to the weights',
  source:
    'Hinton, Neural Networks for Machine Learning, lecture 9c; Graves 2011, Practical variational inference for neural networks',
  published:
    'No recognition figures. Log-loss of predicting pen strokes (Graves 2013): −1041 nats, with adaptive weight noise −1058.',
} as const;

/** One size of the training set: strings, their writers, and how long the net learns. */
interface Size {
  readonly strings: number;
  readonly writers: number;
  readonly epochs: number;
  readonly evaluateEvery: number;
}

interface Form {
  readonly file: string;
  readonly units: number;
  readonly sizes: readonly Size[];
  readonly variants: readonly string[];
  readonly seeds: readonly number[];
  readonly valid: number;
  readonly test: number;
  /** What the whole grid takes on one core of the reference machine, in minutes, as measured. */
  readonly minutes: number;
}

/** A number is the σ of fixed noise. */
const VARIANTS = ['none', '0.05', '0.1', '0.15', '0.2', 'adaptive', 'adaptive-after-none'] as const;
const BATCH = 4;
const LEARNING_RATE = 0.002;

export const FORMS: Readonly<Record<'full' | 'quick', Form>> = {
  full: {
    file: 'weight-noise',
    units: 32,
    sizes: [
      { strings: 300, writers: 20, epochs: 300, evaluateEvery: 6 },
      { strings: 2000, writers: 100, epochs: 40, evaluateEvery: 1 },
    ],
    variants: VARIANTS,
    seeds: [1, 2, 3, 4, 5],
    valid: 500,
    test: 2000,
    minutes: 50,
  },
  quick: {
    file: 'weight-noise-quick',
    units: 24,
    sizes: [{ strings: 200, writers: 20, epochs: 120, evaluateEvery: 6 }],
    variants: ['none', '0.1', 'adaptive'],
    seeds: [1, 2, 3],
    valid: 200,
    test: 500,
    minutes: 2,
  },
};

/** One run of the grid. */
export interface Cell {
  readonly size: Size;
  readonly variant: string;
  readonly seed: number;
}

/** The epoch that is best on validation by one measure, and what the test says of its weights. */
interface Stop {
  readonly epoch: number;
  readonly valid: SequenceEvaluation;
  readonly test: SequenceEvaluation;
}

export interface NoiseRecord {
  readonly strings: number;
  readonly variant: string;
  readonly seed: number;
  readonly epochs: number;
  readonly units: number;
  readonly weights: number;
  /** By the lowest log-loss on validation, and by the lowest share of strings with a mistake. */
  readonly byLoss: Stop;
  readonly byError: Stop;
  readonly curve: readonly { epoch: number; trainLoss: number; validLoss: number; validError: number }[];
  /** At the end, for noise that is learnt: the geometric mean of σ, and what the weights cost in nats. */
  readonly deviation?: number;
  readonly complexity?: number;
  readonly seconds: number;
  readonly engine: string;
  readonly threads: number;
  readonly checksums: { readonly train: string; readonly valid: string; readonly test: string };
}

export const readNoiseRecords = (form: keyof typeof FORMS = 'full'): NoiseRecord[] =>
  readRecordsOf<NoiseRecord>(`${FORMS[form].file}.jsonl`);

/** All cells, seed by seed, so that an interrupted grid has whole pairs. */
export const cellsOf = ({ sizes, variants, seeds }: Form): Cell[] =>
  seeds.flatMap((seed) => sizes.flatMap((size) => variants.map((variant) => ({ size, variant, seed }))));

/** Phases of training: epochs and the noise during them. */
function phasesOf(variant: string, epochs: number): { epochs: number; weightNoise?: WeightNoiseSpec }[] {
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
  private readonly measure: (valid: SequenceEvaluation) => number;
  private epoch = 0;
  private valid: SequenceEvaluation | undefined;
  private snapshot: Snapshot = new Map();

  constructor(measure: (valid: SequenceEvaluation) => number) {
    this.measure = measure;
  }

  see(model: Model, epoch: number, valid: SequenceEvaluation): void {
    if (this.valid && this.measure(valid) >= this.measure(this.valid)) return;
    this.epoch = epoch;
    this.valid = valid;
    this.snapshot = model.snapshot();
  }

  stop(model: Model, test: Parameters<typeof evaluateSequences>[1]): Stop {
    model.restore(this.snapshot);
    return { epoch: this.epoch, valid: this.valid as SequenceEvaluation, test: evaluateSequences(model, test) };
  }
}

const round = (x: number): number => Number(x.toPrecision(4));

/** Trains one net. Everything that is drawn depends on the seed: data, writers, first weights, order, noise. */
export async function runCell(form: Form, cell: Cell, onEpoch: (event: SequenceEpoch) => void): Promise<NoiseRecord> {
  const { size, variant, seed } = cell;
  const start = performance.now();
  const train = penStrings({ seed, count: size.strings, writers: size.writers });
  const valid = penStrings({ seed, first: 1e6, count: form.valid, firstWriter: 1000, writers: 100 });
  const test = penStrings({ seed, first: 2e6, count: form.test, firstWriter: 2000, writers: 400 });
  const engine = await createEngine({ threads: 1 });
  const layers = [lstm(form.units, { bidirectional: true }), dense(11)];
  const model = createModel(engine, { inputs: train.width, seed, layers });
  let bests: readonly Best[] = [];
  const curve: NoiseRecord['curve'][number][] = [];
  let last: SequenceEpoch | undefined;
  let done = 0;
  for (const phase of phasesOf(variant, size.epochs)) {
    // Only the last phase counts: weights that an earlier one left are not this variant's.
    bests = [new Best(({ loss }) => loss), new Best(({ sequenceError }) => sequenceError)];
    const options = { ...phase, batch: BATCH, evaluateEvery: size.evaluateEvery, seed: seed + done };
    const optimizer = adam({ learningRate: LEARNING_RATE });
    for await (const event of trainSequences(model, { train, valid }, { ...options, optimizer })) {
      const epoch = done + event.epoch;
      for (const best of bests) best.see(model, epoch, event.valid);
      const { loss, sequenceError } = event.valid;
      curve.push({
        epoch,
        trainLoss: round(event.trainLoss),
        validLoss: round(loss),
        validError: round(sequenceError),
      });
      last = event;
      onEpoch({ ...event, epoch, epochs: size.epochs });
    }
    done += phase.epochs;
  }
  const [byLoss, byError] = bests.map((best) => best.stop(model, test));
  const record: NoiseRecord = {
    strings: size.strings,
    variant,
    seed,
    epochs: size.epochs,
    units: form.units,
    weights: model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0),
    byLoss,
    byError,
    curve,
    ...(last?.complexity !== undefined && { deviation: last.deviation, complexity: last.complexity }),
    seconds: (performance.now() - start) / 1000,
    engine: engine.name,
    threads: engine.threads,
    checksums: { train: train.checksum, valid: valid.checksum, test: test.checksum },
  };
  engine.close();
  return record;
}

/** A measure of the table: where it stands in a record. */
const MEASURES = [
  { name: 'log-loss, nats', of: ({ byLoss }: NoiseRecord) => byLoss.test.loss, show: (x: number) => x.toFixed(3) },
  { name: 'strings wrong, %', of: ({ byError }: NoiseRecord) => byError.test.sequenceError, show: percent },
  { name: 'label error, %', of: ({ byError }: NoiseRecord) => byError.test.labelError, show: percent },
] as const;

const isFixed = (variant: string): boolean => Number(variant) > 0;
const nameOf = (variant: string): string => (isFixed(variant) ? `fixed, σ = ${variant}` : variant.replaceAll('-', ' '));

/** The σ of fixed noise with the lowest mean log-loss on validation. */
export function chosenDeviation(records: readonly NoiseRecord[]): string | undefined {
  const fixed = [...new Set(records.map(({ variant }) => variant).filter(isFixed))];
  const validLoss = (variant: string): number =>
    interval(records.filter((record) => record.variant === variant).map(({ byLoss }) => byLoss.valid.loss)).mean;
  return fixed.sort((a, b) => validLoss(a) - validLoss(b))[0];
}

const withHalf = ({ mean, half }: Interval, show: (x: number) => string): string =>
  Number.isNaN(half) ? show(mean) : `${show(mean)} ± ${show(half)}`;

/** The rows of one size of training set. */
function renderSize(records: readonly NoiseRecord[], form: Form): string[] {
  const chosen = chosenDeviation(records);
  const none = records.filter(({ variant }) => variant === 'none');
  const rows = form.variants.flatMap((variant) => {
    const own = records.filter((record) => record.variant === variant);
    const pairs = own.flatMap((a) => none.filter((b) => b.seed === a.seed).map((b) => [a, b] as const));
    if (own.length === 0) return [];
    const cells = MEASURES.flatMap(({ of, show }) => {
      const level = withHalf(interval(own.map(of)), show);
      if (variant === 'none' || pairs.length < 2) return [level, ''];
      const difference = paired(
        pairs.map(([a]) => of(a)),
        pairs.map(([, b]) => of(b)),
      );
      return [level, `${withHalf(difference, show)}: ${verdict(difference)}`];
    });
    const epochs = `${interval(own.map(({ byLoss }) => byLoss.epoch)).mean.toFixed(0)} / ${interval(own.map(({ byError }) => byError.epoch)).mean.toFixed(0)}`;
    const name = variant === chosen ? `**${nameOf(variant)}** (chosen on validation)` : nameOf(variant);
    return [`| ${[name, own.length, ...cells, epochs].join(' | ')} |`];
  });
  const { strings, epochs, weights } = records[0];
  const size = form.sizes.find((candidate) => candidate.strings === strings);
  return [
    `## ${strings} training strings of ${size?.writers} writers, ${epochs} epochs, ${weights} weights`,
    '',
    `| noise | seeds | ${MEASURES.map(({ name }) => `${name} | against none`).join(' | ')} | best epoch |`,
    `|---|---:|${MEASURES.map(() => '---:|---:|').join('')}---:|`,
    ...rows,
    '',
  ];
}

/** What the records say of the claim: one sentence a size, for fixed noise with the chosen σ and for adaptive noise. */
function renderFindings(records: readonly NoiseRecord[]): string[] {
  const none = records.filter(({ variant }) => variant === 'none');
  const arms = [chosenDeviation(records), 'adaptive', 'adaptive-after-none'].filter((arm) => arm !== undefined);
  return arms.flatMap((arm) => {
    const own = records.filter(({ variant }) => variant === arm);
    const pairs = own.flatMap((a) => none.filter((b) => b.seed === a.seed).map((b) => [a, b] as const));
    if (pairs.length < 2) return [];
    const words = MEASURES.map(({ name, of }) => {
      const difference = paired(
        pairs.map(([a]) => of(a)),
        pairs.map(([, b]) => of(b)),
      );
      return `${name.split(',')[0]} ${verdict(difference)}`;
    });
    const learnt = own.flatMap(({ complexity, deviation }) =>
      complexity && deviation ? [{ complexity, deviation }] : [],
    );
    const end =
      learnt.length === 0
        ? ''
        : ` At the end σ is ${interval(learnt.map(({ deviation }) => deviation)).mean.toFixed(2)} (geometric mean) and the weights cost ${interval(learnt.map(({ complexity }) => complexity)).mean.toFixed(0)} nats.`;
    return [`- ${own[0].strings} strings, ${nameOf(arm)}: ${words.join(', ')}.${end}`];
  });
}

/** The page as Markdown, from the records alone. */
export function renderNoise(records: readonly NoiseRecord[], form: Form = FORMS.full): string {
  const sizes = form.sizes.map(({ strings }) => records.filter((record) => record.strings === strings));
  const present = sizes.filter((own) => own.length > 0);
  return [
    '# Does noise on the weights help a recurrent net that reads handwriting?',
    '',
    `Claimed: “${CLAIM.text}” (${CLAIM.source}). ${CLAIM.published}`,
    '',
    `A bidirectional LSTM (${form.units} units a direction) reads strings of 1–3 digits in the order of the pen, trained by`,
    `connectionist temporal classification, Adam ${LEARNING_RATE}, ${BATCH} strings a step; weights are drawn anew for every string. Test: ${form.test}`,
    'strings of 400 writers whom the net has never seen, weights without noise. Log-loss is that of the epoch with the best log-loss',
    'on validation, errors are those of the epoch with the fewest strings wrong there (100 other writers). A seed draws everything: data,',
    'writers, first weights, order, noise; “against none” are paired differences with 95% intervals (Student’s t), each on its own.',
    'Generated handwriting: figures compare with nothing published.',
    '',
    ...present.flatMap(renderFindings),
    '',
    ...present.flatMap((own) => renderSize(own, form)),
    `![log-loss on validation](${form.file}.svg)`,
    '',
    `Made by \`node experiments/weight-noise.ts${form === FORMS.quick ? ' --quick' : ''}\` from \`${form.file}.jsonl\`; ${(records.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(0)} minutes, one thread, ${records[0]?.engine ?? ''}.`,
    '',
  ].join('\n');
}

/** The curves as SVG, from the records alone: none, the chosen fixed noise, and both forms of adaptive noise. */
export function renderNoiseCurves(records: readonly NoiseRecord[], form: Form = FORMS.full): string {
  return noiseCurves(
    form.sizes.map(({ strings }) => {
      const own = records.filter((record) => record.strings === strings);
      const arms = ['none', chosenDeviation(own), 'adaptive', 'adaptive-after-none'];
      return {
        title: `${strings} training strings`,
        arms: arms.flatMap((arm) => {
          const runs = own.filter(({ variant }) => variant === arm);
          return arm === undefined || runs.length === 0
            ? []
            : [{ name: nameOf(arm), runs: runs.map(({ curve }) => curve) }];
        }),
      };
    }),
  );
}

if (import.meta.main) {
  const quick = process.argv.includes('--quick');
  const form = FORMS[quick ? 'quick' : 'full'];
  const read = () => readNoiseRecords(quick ? 'quick' : 'full');
  const finished = ({ size, variant, seed }: Cell): boolean =>
    read().some((record) => record.strings === size.strings && record.variant === variant && record.seed === seed);
  const cells = cellsOf(form).filter((cell) => !finished(cell));
  console.error(`${cells.length} cells to run; the whole grid takes about ${form.minutes} minutes on one core.`);
  for (const [i, cell] of cells.entries()) {
    const record = await runCell(form, cell, () => {});
    appendRecord(`${form.file}.jsonl`, record);
    writeTable(`${form.file}.md`, renderNoise(read(), form));
    writeTable(`${form.file}.svg`, renderNoiseCurves(read(), form));
    const { loss } = record.byLoss.test;
    const { sequenceError } = record.byError.test;
    console.error(
      `${i + 1}/${cells.length} ${cell.size.strings} strings, ${cell.variant}, seed ${cell.seed}: log-loss ${loss.toFixed(3)}, ${percent(sequenceError)}% wrong, ${record.seconds.toFixed(0)} s`,
    );
  }
}
