import { ratioChart } from '../../charts/interval-chart.ts';
import { type Answer, atBudget, type Finding, type Report, type ReportTable } from '../kit/experiment.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import {
  briefP,
  type Compared,
  geometric,
  inP,
  interval,
  type Judged,
  judge,
  LATE,
  pairedRatio,
  withFactor,
} from '../kit/statistics.ts';
import { noiseCurves } from './curves.ts';
import type { WeightNoiseDone } from './trial.ts';

/** What is compared, by the stop that it belongs to. */
const MEASURES = [
  {
    name: 'log-loss, nats',
    of: ({ result }: WeightNoiseDone) => result.byLoss.test.loss,
    show: (x: number) => x.toFixed(3),
  },
  { name: 'strings wrong, %', of: ({ result }: WeightNoiseDone) => result.byError.test.sequenceError, show: percent },
  { name: 'label error, %', of: ({ result }: WeightNoiseDone) => result.byError.test.labelError, show: percent },
] as const;
type Measure = (typeof MEASURES)[number];

const isFixed = (variant: string): boolean => Number(variant) > 0;
const nameOf = (variant: string): string => (isFixed(variant) ? `fixed, σ = ${variant}` : variant.replaceAll('-', ' '));
const own = (done: readonly WeightNoiseDone[], variant: string): WeightNoiseDone[] =>
  done.filter(({ trial }) => trial.variant === variant);

/** The σ of fixed noise with the lowest mean log-loss on validation, over the seeds that all of them have; undefined without such. */
export function chosenDeviation(done: readonly WeightNoiseDone[]): string | undefined {
  const fixed = [...new Set(done.map(({ trial }) => trial.variant).filter(isFixed))];
  const common = [...new Set(done.map(({ trial }) => trial.seed))].filter((seed) =>
    fixed.every((variant) => own(done, variant).some(({ trial }) => trial.seed === seed)),
  );
  if (common.length === 0) return undefined;
  const validLoss = (variant: string): number =>
    interval(
      own(done, variant)
        .filter(({ trial }) => common.includes(trial.seed))
        .map(({ result }) => result.byLoss.valid.loss),
    ).mean;
  return fixed.toSorted((a, b) => validLoss(a) - validLoss(b))[0];
}

/** The logarithm of the ratio of a variant to the net without noise, seed by seed. */
function ratioOf(done: readonly WeightNoiseDone[], variant: string, { of }: Measure): Compared {
  const pairs = own(done, variant).flatMap((a) =>
    own(done, 'none')
      .filter(({ trial }) => trial.seed === a.trial.seed)
      .map((b) => [of(a), of(b)]),
  );
  return pairedRatio(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
}

/**
 * Several variants against the net without noise: one family, corrected together, each by its own variance, which is far greater for
 * nets that hardly learn. Those with fewer than two pairs are left out.
 */
function against(
  done: readonly WeightNoiseDone[],
  variants: readonly string[],
  measure: Measure,
): ReadonlyMap<string, Judged> {
  const found = variants
    .map((variant) => ({ variant, ratio: ratioOf(done, variant, measure) }))
    .filter(({ ratio }) => ratio.count > 1);
  const judged = judge(found.map(({ ratio }) => ratio));
  return new Map(found.map(({ variant }, i) => [variant, judged[i]]));
}

/** What is asked of: the fixed noise that validation chose, and both forms that are learnt. */
const askedOf = (done: readonly WeightNoiseDone[]): string[] =>
  [chosenDeviation(done), 'adaptive', 'adaptive-after-none'].filter((arm) => arm !== undefined);

/** What the weights of noise that is learnt cost in the end, as a sentence. */
function learntAtEnd(done: readonly WeightNoiseDone[]): string {
  const learnt = done.flatMap(({ result: { complexity, deviation } }) =>
    complexity !== undefined && deviation !== undefined ? [{ complexity, deviation }] : [],
  );
  if (learnt.length === 0) return '';
  const [sigma, cost] = (['deviation', 'complexity'] as const).map((of) => interval(learnt.map((end) => end[of])).mean);
  return ` At the end σ is ${sigma.toFixed(2)} (geometric mean) and the weights cost ${cost.toFixed(0)} nats.`;
}

/** A net that misreads most of its strings at the end of its budget has not been trained: nothing is known of what it would read. */
const MOST = 0.5;

function untrained(done: readonly WeightNoiseDone[], arm: string): string | undefined {
  const { mean } = interval(own(done, arm).map(({ result }) => result.byError.test.sequenceError));
  return mean > MOST
    ? `after ${done[0].trial.epochs} epochs its nets misread ${percent(mean)}% of the strings`
    : undefined;
}

function findingsOf(done: readonly WeightNoiseDone[]): Finding[] {
  const { strings } = done[0].trial;
  const arms = askedOf(done);
  const found = MEASURES.slice(0, 2).map((measure) => ({ measure, judged: against(done, arms, measure) }));
  return arms.flatMap((arm) =>
    found.flatMap(({ measure, judged }): Finding[] => {
      const ratio = judged.get(arm);
      if (!ratio) return [];
      const finding: Finding = {
        claim: `${nameOf(arm)} noise reads better (${measure.name.split(',')[0]}, ${strings} strings)`,
        outcome: outcomeOf(ratio, 'lower'),
        evidence: `${measure.name}: ${withFactor(ratio)} that of no noise, ${ratio.count} seeds${inP(ratio)}.${learntAtEnd(own(done, arm))}`,
      };
      return [atBudget(finding, untrained(done, arm))];
    }),
  );
}

function tableOf(done: readonly WeightNoiseDone[]): ReportTable {
  const { strings, writers, epochs } = done[0].trial;
  const chosen = chosenDeviation(done);
  const variants = [...new Set(done.map(({ trial }) => trial.variant))];
  const found = MEASURES.map((measure) => ({ measure, judged: against(done, askedOf(done), measure) }));
  return {
    title: `${strings} training strings of ${writers} writers, ${epochs} epochs, ${done[0].result.weights} weights; geometric means, and p of what is asked, corrected by Holm`,
    head: ['noise', 'seeds', ...MEASURES.flatMap(({ name }) => [name, 'against none']), 'best epoch'],
    rows: variants.map((variant) => {
      const mine = own(done, variant);
      const cells = found.flatMap(({ measure, judged }) => {
        const level = geometric(interval(mine.map((run) => Math.log(measure.of(run)))), measure.show);
        const ratio = ratioOf(done, variant, measure);
        if (variant === 'none' || ratio.count < 2) return [level, ''];
        const asked = judged.get(variant);
        return [level, `${withFactor(ratio)}${asked ? briefP(asked) : ''}`];
      });
      const mean = (of: (record: WeightNoiseDone) => number): string => interval(mine.map(of)).mean.toFixed(0);
      const epoch = `${mean(({ result }) => result.byLoss.epoch)} / ${mean(({ result }) => result.byError.epoch)}`;
      const name = `${nameOf(variant)}${variant === chosen ? ' (chosen on validation)' : ''}`;
      return [name, String(mine.length), ...cells, epoch];
    }),
  };
}

/** Log-loss on validation: none, the chosen fixed noise, and both forms of adaptive noise; one panel a size. */
const chartOf = (sizes: readonly (readonly WeightNoiseDone[])[]): string =>
  noiseCurves(
    sizes.map((done) => ({
      title: `${done[0].trial.strings} strings`,
      arms: ['none', chosenDeviation(done), 'adaptive', 'adaptive-after-none'].flatMap((arm) => {
        const runs = arm === undefined ? [] : own(done, arm);
        return arm === undefined || runs.length === 0
          ? []
          : [{ name: nameOf(arm), runs: runs.map(({ result }) => result.curve) }];
      }),
    })),
  );

/** What a reader takes home of one size: the noise with the lowest log-loss on validation against none. */
function learntOf(done: readonly WeightNoiseDone[]): string[] {
  const [losses, errors] = MEASURES.slice(0, 2).map((measure) => against(done, askedOf(done), measure));
  const arms = [...losses.keys()];
  if (arms.length === 0) return [];
  const { strings, writers, epochs } = done[0].trial;
  const told = arms.map((arm) => {
    const [loss, error] = [losses, errors].map((judged) => judged.get(arm) as Judged);
    const [a, b] = [arm, 'none'].map((variant) =>
      Math.exp(interval(own(done, variant).map((run) => Math.log(MEASURES[1].of(run)))).mean),
    );
    return `${nameOf(arm)}: ${percent(a)}% of the strings wrong in the place of ${percent(b)}% (${withFactor(error)}, ${error.verdict}), log-loss ${withFactor(loss)} (${loss.verdict})`;
  });
  const late = ['none', ...arms].flatMap((arm) => {
    const best = interval(own(done, arm).map(({ result }) => result.byLoss.epoch)).mean;
    return best > LATE * epochs ? [`${nameOf(arm)} (${best.toFixed(0)})`] : [];
  });
  const unfinished =
    late.length > 0
      ? ` The best of ${epochs} epochs is among the last for ${late.join(', ')}: longer training might change that.`
      : '';
  return [`Learning from ${strings} strings of ${writers} writers, ${told.join('; ')}.${unfinished}`];
}

/** Strings that are misread, with noise over without, of what is asked and trained. */
const misread = (done: readonly WeightNoiseDone[]) =>
  [...against(done, askedOf(done), MEASURES[1])].filter(([arm]) => untrained(done, arm) === undefined);

function answerOf(sizes: readonly (readonly WeightNoiseDone[])[]): Answer | undefined {
  if (!sizes.every((done) => misread(done).length > 0)) return undefined;
  const told = sizes.map((done) => {
    const arms = misread(done).map(([arm, own]) => {
      const shown = own.verdict === 'not shown' ? 'no difference is shown' : own.verdict;
      return `${isFixed(arm) ? 'noise of one fixed size' : nameOf(arm)} ${withFactor(own)} (${shown})`;
    });
    return `taught by ${done[0].trial.strings} strings, ${arms.join(', ')}`;
  });
  const failed = sizes.flatMap((done) =>
    askedOf(done)
      .filter((arm) => untrained(done, arm) !== undefined)
      .map((arm) => `${nameOf(arm)} at ${done[0].trial.strings} strings`),
  );
  return {
    verdict: `Strings that the net misreads, with noise on its weights over without: ${told.join('; ')}.`,
    change: `${failed.length > 0 ? `A start from which noise that is learnt trains at all (it did not: ${failed.join(', ')}); ` : ''}longer training where the last epochs are best, 20,000 strings, and real handwriting: the writers here are imagined.`,
  };
}

/** What the finished trials say, in tables, findings and curves. */
export function reportWeightNoise(finished: readonly WeightNoiseDone[]): Report {
  const sizes = [...Map.groupBy(finished, ({ trial }) => trial.strings).values()];
  if (sizes.length === 0) return { findings: [], learnt: [], tables: [], charts: [] };
  const answer = answerOf(sizes);
  const rows = sizes.flatMap((done) =>
    misread(done).map(([arm, own]) => ({ name: `${done[0].trial.strings} strings: ${nameOf(arm)}`, measured: own })),
  );
  return {
    ...(answer && { answer }),
    findings: sizes.flatMap(findingsOf),
    learnt: sizes.flatMap(learntOf),
    tables: sizes.map(tableOf),
    charts: [
      ...(rows.length > 0
        ? [
            ratioChart({
              title: 'Strings misread with noise on the weights over those without',
              xLabel: 'times the strings wrong without noise (left of the line: fewer)',
              rows,
            }),
          ]
        : []),
      chartOf(sizes),
    ],
  };
}
