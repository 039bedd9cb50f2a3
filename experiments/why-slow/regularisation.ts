import type { Finding, ReportTable } from '../kit/experiment.ts';
import { isOver } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import { type Interval, interval, paired, type Share, shareOf, withHalf } from '../kit/statistics.ts';
import { inWords, NEVER } from './shares.ts';
import { type Done, fastest, type Measure, stepsTo, TARGET } from './speed.ts';
import type { ArmName } from './trial.ts';

export const armsOf = (all: readonly Done[]): ArmName[] => [...new Set(all.map(({ trial }) => trial.arm))];

/** Test error of two arms, paired by seed, at the rate that each is fastest at with the noise off. */
export const errorsOf = (all: readonly Done[], arm: ArmName, measure: Measure): number[] =>
  fastest(all, arm, 'off').map(({ result }) => result.test[measure]);

/** The same difference to the deterministic net at one learning rate, whichever is fastest for either. */
function againstAt(all: readonly Done[], arm: ArmName, rate: number): string {
  if (arm === 'deterministic') return '';
  const [own, plain] = ([arm, 'deterministic'] as const).map((one) =>
    all
      .filter(({ trial }) => trial.arm === one && trial.rate === rate)
      .toSorted((a, b) => a.trial.seed - b.trial.seed)
      .map(({ result }) => result.test.off),
  );
  return withHalf(paired(own, plain), percent);
}

export function regularisation(all: readonly Done[]): { table: ReportTable; findings: Finding[] } {
  const arms = armsOf(all);
  const against = (arm: ArmName, other: ArmName): Interval =>
    paired(errorsOf(all, arm, 'off'), errorsOf(all, other, 'off'));
  const rates = [...new Set(all.map(({ trial }) => trial.rate))].sort((a, b) => a - b);
  const rows = arms.map((arm) => [
    arm,
    withHalf(interval(errorsOf(all, arm, 'off')), percent),
    arm === 'deterministic' ? '' : withHalf(against(arm, 'deterministic'), percent),
    withHalf(interval(errorsOf(all, arm, 'sampled')), percent),
    ...(rates.length > 1 ? rates.map((rate) => againstAt(all, arm, rate)) : []),
  ]);
  const penalty = against('curvature penalty', 'deterministic');
  const [whole, part] = (['bits, many passes', 'curvature penalty'] as const).map((arm) => {
    const steps = [arm, 'deterministic' as const].map((one) =>
      fastest(all, one, 'off').map(({ result }) => stepsTo(result.curve, 'off')),
    );
    return steps[0].map((x, i) => Math.log(x / steps[1][i]));
  });
  const slow = shareOf(part, whole);
  return {
    table: {
      title:
        'Test error, % (best epoch on validation, noise off; each arm at the rate that is fastest with the noise off, then all at the same rate)',
      head: [
        'hidden units',
        'noise off',
        'against deterministic',
        'sampled',
        ...(rates.length > 1 ? rates.map((rate) => `both at rate ${rate}`) : []),
      ],
      rows,
    },
    findings: [
      ...GAINS.map((arm): Finding => {
        const gain = against(arm, 'deterministic');
        const gained = gain.mean + gain.half < 0;
        const part = gainShare(all, arm);
        return {
          claim: `The curvature penalty alone gives over half of what the noise gains on the test (${arm})`,
          outcome: gained ? isOver(part, 0.5) : 'not tested',
          evidence: `Test error against the deterministic net, in points: ${withHalf(penalty, percent)} with the penalty, ${withHalf(gain, percent)} with ${arm}; penalty against ${arm}: ${withHalf(against('curvature penalty', arm), percent)}. ${gained ? `The penalty gives ${inWords(part)} of it (Fieller’s interval).` : 'No gain is shown there, so that there is nothing to explain.'}`,
        };
      }),
      {
        claim: 'The curvature penalty alone slows the noise-free network down as the noise does',
        outcome: Number.isFinite(slow.value) ? isOver(slow, 0.5) : 'not tested',
        evidence: !Number.isFinite(slow.value)
          ? NEVER
          : `Steps to ${TARGET} nats with the noise off: it gives ${inWords(slow)} of the slow-down (of logarithms) of bits with many passes; the claim asks for over half.`,
      },
    ],
  };
}

/** Noise that the curvature penalty may stand for: as bits are trained, and by the gradient of the expected loss, noisy and averaged. */
export const GAINS = ['bits', 'bits, unbiased', 'bits, unbiased, many passes'] as const satisfies readonly ArmName[];

/** How much of what an arm gains on the test against the deterministic net the curvature penalty gains alone. */
function gainShare(all: readonly Done[], arm: ArmName): Share {
  const [whole, part, none] = ([arm, 'curvature penalty', 'deterministic'] as const).map((one) =>
    errorsOf(all, one, 'off'),
  );
  return shareOf(
    part.map((x, i) => x - none[i]),
    whole.map((x, i) => x - none[i]),
  );
}
