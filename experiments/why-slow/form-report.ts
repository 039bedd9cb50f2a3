import { lineChart } from '../../charts/line-chart.ts';
import type { Finding, ReportTable } from '../kit/experiment.ts';
import { logBand } from '../kit/log-band.ts';
import { interval, near, withHalf } from '../kit/statistics.ts';
import { type Done, fastest, ratio, share } from './speed.ts';
import type { ArmName, WhyResult } from './trial.ts';

/** How far the second order may be off, as a ratio. */
const TOLERANCE = 0.2;

type Form = WhyResult['forms'][number];

const formsAt = (all: readonly Done[], arm: ArmName, epoch: number, bits: number): Form[] =>
  fastest(all, arm, 'sampled').flatMap(({ result }) =>
    result.forms.filter((form) => form.epoch === epoch && form.bits === bits),
  );

/** Measured over predicted. */
const over = (form: Form, field: 'shift' | 'trace'): number => form[field].measured / form[field].predicted;

const intervalsOf = (forms: readonly Form[]) => ({
  shift: interval(forms.map((form) => over(form, 'shift'))),
  trace: interval(forms.map((form) => over(form, 'trace'))),
  cosine: interval(forms.map(({ cosine }) => cosine)),
  bias: interval(forms.map(({ bias }) => bias)),
});

/** Does the second order hold at an epoch of the runs with bits? */
function findingOf(all: readonly Done[], epoch: number): Finding {
  const { shift, trace, cosine } = intervalsOf(formsAt(all, 'bits', epoch, 1));
  const outcomes = [shift, trace].map((own) => near(own, 1, TOLERANCE));
  const outcome = outcomes.includes('refuted') ? 'refuted' : outcomes.includes('not shown') ? 'not shown' : 'holds';
  return {
    claim: `The noise of bits has the form of the second order within ${share(TOLERANCE)}: mean shift ½Σp(1 − p)∂²C, covariance H·diag(p(1 − p))·H (epoch ${epoch})`,
    outcome,
    evidence: `Measured over predicted: mean shift ${withHalf(shift, ratio)}, trace of the covariance ${withHalf(trace, ratio)}; cosine of the covariances ${withHalf(cosine, ratio)}.`,
  };
}

/** Measured over predicted along the training of bits. */
function chartOf(all: readonly Done[], epochs: readonly number[], bits: readonly number[]): string {
  const series = bits.flatMap((m) =>
    (['shift', 'trace'] as const).map((field) => ({
      name: `${field === 'shift' ? 'mean shift' : 'covariance'}, ${m} ${m === 1 ? 'bit' : 'bits'}`,
      points: epochs.map((epoch) =>
        logBand(
          epoch,
          formsAt(all, 'bits', epoch, m).map((form) => over(form, field)),
        ),
      ),
    })),
  );
  return lineChart({
    title: 'The form of the noise along the training of bits',
    xLabel: 'epoch',
    yLabel: 'measured over predicted by the second order, geometric mean and 95% interval over seeds',
    series,
    xTicks: epochs,
    log: { y: true },
    yTicks: [0.5, 1, 2, 4],
  });
}

/** The form of the noise: measured at some epochs of the runs of two arms, over what the second order predicts. */
export function renderForms(all: readonly Done[]): {
  table: ReportTable;
  findings: Finding[];
  learnt: string[];
  chart: string;
} {
  const seen = fastest(all, 'bits', 'sampled').flatMap(({ result }) => result.forms);
  const epochs = [...new Set(seen.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const bits = [...new Set(seen.map((form) => form.bits))];
  const rows = (['deterministic', 'bits'] as const).flatMap((arm) =>
    bits.flatMap((m) =>
      epochs.flatMap((epoch) => {
        const forms = formsAt(all, arm, epoch, m);
        if (forms.length === 0) return [];
        const { shift, trace, cosine, bias } = intervalsOf(forms);
        const name = `${arm}, ${m} ${m === 1 ? 'bit' : 'bits'}, epoch ${epoch}`;
        const ratios = [shift, trace, cosine].map((own) => withHalf(own, ratio));
        return [[name, ...ratios, withHalf(bias, (x) => x.toFixed(3))]];
      }),
    ),
  );
  const findings = [epochs[0], epochs[epochs.length - 1]].map((epoch) => findingOf(all, epoch));
  const [start, end] = [epochs[0], epochs[epochs.length - 1]].map((epoch) =>
    intervalsOf(formsAt(all, 'bits', epoch, 1)),
  );
  const many = intervalsOf(formsAt(all, 'bits', epochs[epochs.length - 1], bits[bits.length - 1]));
  const told = ({ shift, trace }: typeof start): string =>
    `mean shift × ${withHalf(shift, ratio)}, covariance × ${withHalf(trace, ratio)}`;
  const learnt = [
    `The noise that bits add to the loss and its gradient, measured over the second-order formulas ½Σp(1 − p)∂²C and H·diag(p(1 − p))·H: ${told(start)} before training, ${told(end)} after; with the mean of ${bits[bits.length - 1]} bits in the place of one, ${told(many)} after.`,
  ];
  const head = ['network and noise', 'mean shift', 'trace of the covariance', 'cosine', 'bias² over the trace'];
  return {
    table: { title: 'Noise at the hidden units, measured over predicted', head, rows },
    findings,
    learnt,
    chart: chartOf(all, epochs, bits),
  };
}
