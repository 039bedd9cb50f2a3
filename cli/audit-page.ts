import { problemPoints, varianceChart } from './audit-chart.ts';
import { fixed, short } from './audit-report.ts';
import type { AuditRow } from './audit-row.ts';

/** Lines of `flipgrad audit --json`, kept: the neurons, and what the whole took. */
export interface AuditRecords {
  readonly rows: readonly AuditRow[];
  readonly result: { readonly neurons: number; readonly refuted: readonly string[]; readonly seconds: number };
}

/** Reads them. @throws SyntaxError for a damaged line */
export function readAuditRecords(text: string): AuditRecords {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return {
    rows: lines.filter(({ event }) => event === 'neuron') as AuditRow[],
    result: lines.find(({ event }) => event === 'result') as AuditRecords['result'],
  };
}

/**
 * The table as Markdown, with the names of certified neurons that the records lack.
 * @param certified texts of neurons, as certificates have them @param bits only those whose behaviours are bits
 */
export function renderAudit({ rows, result }: AuditRecords, certified: readonly string[], bits: boolean): string {
  const shown = rows.filter(({ unit }) => !bits || unit === 'bits');
  const lines = shown.map((row) => {
    const size = Math.hypot(...row.truth);
    const relative = (value: number, power: number) => (size === 0 ? '–' : short(value / size ** power));
    const sampled = row.method === 'sampling' && row.bias.least === 0;
    const claim = row.verdicts.find((one) => one.claim === 'unbiased' || one.claim === 'biased');
    return [
      `\`${row.neuron}\``,
      claim?.claim ?? '–',
      sampled ? `<${relative(row.bias.most, 1)}` : relative(row.bias.value, 1),
      relative(row.totalVariance, 2),
      fixed(row.cosine),
      fixed(row.cosineOfDraws),
      `${Math.round(100 * row.signsOfDraws)}%`,
      `${row.evaluations}`,
      short(row.atEqualCompute ?? Number.POSITIVE_INFINITY),
    ];
  });
  const head = [
    'neuron',
    'claim',
    'bias',
    'variance',
    'cos',
    'cos of draws',
    'signs of draws',
    'evaluations',
    'error² at 64',
  ];
  const rule = head.map((_, i) => (i < 2 ? '---' : '---:'));
  const table = [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const refuted = result.refuted.length === 0 ? 'no claim refuted' : `refuted: ${result.refuted.join(', ')}`;
  const lacking = certified.filter((text) => !rows.some(({ neuron }) => neuron === text));
  const without = lacking.length === 0 ? '' : `; not measured: ${lacking.map((text) => `\`${text}\``).join(', ')}`;
  return `On the problem "${rows[0].problem}"; bias over |∇|, variance over |∇|², sorted by bias² + variance·evaluations/64. Bias by exact
integration, after "<" by sampling (four standard errors). ${result.neurons} neurons in ${result.seconds.toFixed(0)} s, ${refuted}${without}.

${table}
`;
}

/** The picture of the same records. */
export const drawAudit = ({ rows }: AuditRecords): string =>
  varianceChart(problemPoints(rows), `${rows[0].problem}, ${rows[0].units} units`);
