import {
  checkSweep,
  FormatError,
  type PastFailure,
  planSweep,
  type RankedConfiguration,
  reportSweep,
  type SweepDefinition,
  type SweepReport,
} from '../src/index.ts';
import { asObject, parseJson, shorten } from '../src/io/json.ts';
import type { StoredResult } from '../src/platform/node/sweep/store.ts';
import { checkOutcome } from '../src/runs/sweep/trial.ts';
import { shown } from './shown.ts';
import { percent, table } from './table.ts';

/** The results of a sweep, beside its runs: what `flipgrad runs --sweep` reads without the database. */
export const RESULTS_FILE = 'results.json';
/** The picture of a sweep. */
export const CHART_FILE = 'parallel.svg';
const FORMAT = 'flipgrad sweep 1';
/** Configurations that are printed of many. */
const MOST_ROWS = 20;

export function encodeResults(
  definition: SweepDefinition,
  results: readonly StoredResult[],
  retried: readonly PastFailure[],
): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, definition, results, retried }, null, 1)}\n`);
}

/**
 * The report of a sweep as it stands in results.json, of whatever origin: what its definition asks for is counted before it is planned.
 * @throws FormatError when it is no such file
 */
export function reportOf(text: string, where: string): { report: SweepReport; definition: SweepDefinition } {
  const file = asObject(parseJson(text, where), where);
  if (file.format !== FORMAT)
    throw new FormatError(`${where} has the format ${shorten(file.format)}. Expected "${FORMAT}".`);
  const entries = (name: string): Readonly<Record<string, unknown>>[] => {
    const value = file[name] ?? [];
    if (!Array.isArray(value)) throw new FormatError(`\`${name}\` of ${where} is ${shorten(value)}. Expected a list.`);
    return value.map((entry, i) => asObject(entry, `\`${name}[${i}]\` of ${where}`));
  };
  const results = entries('results');
  const retried = entries('retried').map((entry, i) => {
    const texts = [entry.key, entry.reason, entry.worker, entry.at];
    if (texts.every((value) => typeof value === 'string') && Number.isSafeInteger(entry.attempt))
      return entry as unknown as PastFailure;
    throw new FormatError(
      `\`retried[${i}]\` of ${where} is ${shorten(entry)}. Expected \`key\`, \`attempt\`, \`reason\`, \`worker\` and \`at\`.`,
    );
  });
  try {
    const definition = checkSweep(file.definition, 'sweep');
    const outcomes = new Map(results.map(({ key, outcome }) => [String(key), checkOutcome(outcome)]));
    return { report: reportSweep(definition, planSweep(definition, outcomes), outcomes, retried), definition };
  } catch (error) {
    if (error instanceof FormatError || error instanceof RangeError)
      throw new FormatError(`${where} is no record of a sweep: ${error.message}`, { cause: error });
    throw error;
  }
}

/** A report as text for people. */
export function reportText(report: SweepReport): string {
  const { name, metric, goal, complete, trials, atMost, configurations, failed, retried } = report;
  const names = Object.keys(report.importances);
  const header = ['configuration', metric, 'seeds', 'behind the best', ...names, ''];
  const rows = configurations.slice(0, MOST_ROWS).map((configuration) => row(configuration, names));
  const state = complete ? 'complete' : 'not complete';
  const hidden = configurations.length - rows.length;
  const matters = Object.entries(report.importances).sort(([, a], [, b]) => b - a);
  return [
    `${name}: ${state}, ${trials} of ${complete ? '' : 'at most '}${atMost} trials; ${goal} ${metric}; intervals of 95% over seeds`,
    table([header, ...rows]),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    matters.some(([, share]) => Number.isNaN(share))
      ? 'What matters: too few configurations to tell.'
      : `What matters: ${matters.map(([setting, share]) => `${setting} ${percent(share, 0)}`).join(', ')}`,
    ...retried.map(
      ({ key, attempt, reason, worker, at }) =>
        `${key} failed in attempt ${attempt} (${worker}, ${at}) and was given out again: ${reason}`,
    ),
    ...failed.map(({ key, reason }) => `${key} failed: ${reason}`),
  ].join('\n');
}

function row({ number, settings, metric, behind, pruned }: RankedConfiguration, names: readonly string[]): string[] {
  return [
    String(number),
    interval(metric),
    String(metric.count),
    behind ? interval(behind) : 'best',
    ...names.map((name) => shown(settings[name])),
    pruned === undefined ? '' : `left: ${pruned}`,
  ];
}

const interval = ({ mean, half }: { mean: number; half: number }): string => {
  if (Number.isNaN(mean)) return 'failed';
  return Number.isNaN(half) ? mean.toPrecision(4) : `${mean.toPrecision(4)} ± ${half.toPrecision(2)}`;
};
