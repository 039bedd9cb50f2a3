import type { SiteAudit } from '../src/index.ts';
import type { AuditFlags } from './audit.ts';
import type { AuditRow } from './audit-row.ts';
import { table } from './table.ts';

/** A number in three digits. */
export function short(value: number): string {
  if (value === 0) return '0';
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return '∞';
  if (Math.abs(value) < 1e-9) return '0';
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(1);
}

/** Of a cosine: that of a vector of 0 is no number. */
export const fixed = (value: number | null | undefined): string =>
  value == null || Number.isNaN(value) ? '–' : value.toFixed(2);

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${Math.round(100 * share)}%`);

/** The measured neurons, best at equal compute first; bias and variance over the size of the true gradient. */
export function auditTable(
  rows: readonly AuditRow[],
  { problem, evaluations }: Pick<AuditFlags, 'problem' | 'evaluations'>,
): string {
  const lines = rows.map((row) => {
    const size = Math.hypot(...row.truth);
    const sampled = row.method === 'sampling';
    const relative = (value: number, power: number) => (size === 0 ? '–' : short(value / size ** power));
    return [
      row.neuron,
      row.unit,
      `${row.units}`,
      sampled && row.bias.least === 0 ? `<${relative(row.bias.most, 1)}` : relative(row.bias.value, 1),
      relative(row.totalVariance, 2),
      relative(row.squaredError, 2),
      fixed(row.cosine),
      fixed(row.cosineOfDraws),
      percent(row.signs),
      percent(row.signsOfDraws),
      `${row.evaluations}`,
      (1e6 * row.seconds).toFixed(1),
      short(row.atEqualCompute),
      verdictOf(row),
    ];
  });
  const head = [
    'neuron',
    'unit',
    'units',
    'bias',
    'variance',
    'error²',
    'cos',
    'of draws',
    'signs',
    'of draws',
    'evaluations',
    'µs',
    `error² at ${evaluations}`,
    'claims',
  ];
  return `On the problem "${problem}". Bias over |∇|; variance and error² over |∇|². cos: of E[ĝ] with ∇, and of single draws; signs that are right, likewise.
Sorted by error² after averaging gradients over ${evaluations} evaluations of the loss: bias² + variance·evaluations/${evaluations}. Units that are not bits have a true gradient of their own.
${table([head, ...lines])}`;
}

/** The neurons measured at a place of a network, best at equal compute first. @param where which place */
export function siteTable(rows: readonly SiteAudit[], where: string, evaluations: number): string {
  const lines = rows.map((row) => [
    row.neuron,
    row.bias ? `${short(row.bias.value)} (${short(row.bias.least)}–${short(row.bias.most)})` : '–',
    short(row.variance),
    short(row.squaredError),
    fixed(row.cosine),
    fixed(row.cosineOfDraws),
    percent(row.signs),
    percent(row.signsOfDraws),
    `${row.evaluations}`,
    (1000 * row.seconds).toFixed(1),
    row.skips ? 'yes' : 'no',
    short(row.atEqualCompute),
    claimOf(row),
  ]);
  const head = [
    'neuron',
    'bias (95%)',
    'variance',
    'error²',
    'cos',
    'of draws',
    'signs',
    'of draws',
    'evaluations',
    'ms',
    'skips blocks',
    `error² at ${evaluations}`,
    'claims',
  ];
  return `${where}. Bias over |∇|; variance and error² over |∇|². Signs: of the numbers whose sign is known by two standard errors.
Sorted by error² after averaging gradients over ${evaluations} evaluations of the loss: bias² + variance·evaluations/${evaluations}.
${table([head, ...lines])}`;
}

/** What is neither shown nor refuted is told as that. */
function claimOf({ verdict: { claim, verdict } }: SiteAudit): string {
  if (verdict === 'refuted') return `REFUTED: ${claim}`;
  return verdict === 'undecided' ? `${claim}: not shown` : claim;
}

/** Which of its claims a neuron's measurements hold up, in a word or two. */
function verdictOf({ verdicts }: AuditRow): string {
  const refuted = verdicts.filter(({ verdict }) => verdict === 'refuted').map(({ claim }) => claim);
  if (refuted.length > 0) return `REFUTED: ${refuted.join(', ')}`;
  const bias = verdicts.find(({ claim }) => claim === 'unbiased' || claim === 'biased');
  return `${bias?.claim ?? ''}${bias?.verdict === 'undecided' ? '?' : ''}`;
}

/** Every claim that is not plainly right, with its evidence; of a few neurons, all of them. */
export function verdictLines(rows: readonly AuditRow[]): string {
  const all = rows.length <= 3;
  const lines = rows.flatMap(({ neuron, verdicts }) =>
    verdicts
      .filter(({ verdict }) => all || verdict !== 'holds')
      .map(
        ({ claim, verdict, evidence }) =>
          `${verdict === 'refuted' ? 'REFUTED' : verdict.padEnd(7)}  ${neuron}, ${claim}: ${evidence}.`,
      ),
  );
  if (lines.length === 0) return 'Every claim of every neuron holds.';
  return lines.join('\n');
}
