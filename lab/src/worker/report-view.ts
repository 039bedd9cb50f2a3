import { commandLine, pathWord } from '../../../cli/command-line.ts';
import { interval, withHalf } from '../../../experiments/kit/statistics.ts';
import { type LineChart, MOST_LINES } from '../chart.ts';
import { NOTHING } from '../drawn.ts';
import { type Figures, type Published, publishedBesideReport } from './published.ts';
import { type Item, isObject, itemsOf, type Json } from './report-items.ts';

/** The records of an experiment, for a page. */
export interface ReportView {
  readonly kind: 'report';
  readonly name: string;
  readonly trials: number;
  readonly seeds: number;
  /** Settings in which trials differ, then what was measured. */
  readonly head: readonly string[];
  /** Means over seeds, with half the width of their 95% interval (Student's t) where there is more than one seed. */
  readonly rows: readonly (readonly string[])[];
  readonly charts: readonly LineChart[];
  readonly published?: Published;
  /** What the report written beside the records claims and finds; empty where there is none. */
  readonly findings: readonly string[];
  /** That makes the records anew; '' where none is known. */
  readonly command: string;
}

/**
 * Reads records (JSON lines): trials of `flipgrad reproduce`, results of trainings, and those of audits and benchmarks.
 * @param text of the file, and of the Markdown that was written beside it
 * @throws RangeError with a sentence when it is none of them
 */
export function readReport(name: string, text: string, markdown = ''): ReportView {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new RangeError(`${name} is empty. Expected a file of records, one JSON object a line.`);
  const items = itemsOf(name, lines);
  const fields = [...new Set(items.flatMap(({ config }) => Object.keys(config)))];
  const shown = fields.filter((field) => new Set(items.map(({ config }) => JSON.stringify(config[field]))).size > 1);
  const groups = [...Map.groupBy(items, ({ config }) => JSON.stringify(config)).values()];
  const measures = [...new Set(items.flatMap(({ numbers }) => [...numbers.keys()]))];
  const nameOf = ([{ config }]: readonly Item[]): string =>
    shown.map((field) => named(field, config[field])).join(', ');
  const reproduced = items.every(({ inTrial }) => inTrial);
  const experiment = name.replace(/\.jsonl$/, '');
  const published = besideMeans(groups);
  return {
    kind: 'report',
    name,
    trials: items.length,
    seeds: new Set(items.map(({ seed }) => seed)).size,
    head: [
      ...shown.map(nameInWords),
      ...measures.map((measure) => `${nameInWords(measure)}${isShare(measure) ? ', %' : ''}`),
    ],
    rows: groups.map((group) => [
      ...shown.map((field) => brief(group[0].config[field])),
      ...measures.map((measure) => meanOf(group, measure)),
    ]),
    charts: chartsOf(groups, nameOf),
    ...(published && { published }),
    findings: findingsOf(markdown),
    command: reproduced ? reproduction(experiment) : '',
  };
}

/** The command that makes the records anew: a shorter form of an experiment has its name at the end. */
function reproduction(experiment: string): string {
  const [, whole = experiment, form] = /^(.+)-(quick|medium)$/s.exec(experiment) ?? [];
  return commandLine('reproduce', pathWord(whole), ...(form ? [`--${form}`] : []));
}

/** `testError.threshold` as people write it. */
const nameInWords = (name: string): string =>
  brief(
    name
      .replaceAll('.', ', ')
      .replace(/([a-z\d])([A-Z])/g, (_, before: string, next: string) => `${before} ${next.toLowerCase()}`),
  );

/** Errors and shares of open gates are shown in percent. What was measured on a part in a mode, without a word more, is an error. */
const isShare = (measure: string): boolean =>
  /(^|\.)((train|valid|test)?(label|sequence)?error|density|accuracy)(\.|$)/i.test(measure) ||
  /(^|\.)(test|valid)\.(sampled|threshold|meanField|ensemble)$/.test(measure);

/** A setting as people write one: no quotes and braces. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(' ');
  if (isObject(value))
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${inWords(inner)}`)
      .join(', ');
  return value === undefined ? '' : String(value);
}

/** A setting as text that fits a table. */
function brief(value: unknown): string {
  const text = inWords(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** In a legend, where no head says what it is of: texts are names by themselves, numbers and switches are not. */
const named = (field: string, value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? `${nameInWords(field)} ${brief(value)}` : brief(value);

const valuesOf = (group: readonly Item[], measure: string): number[] =>
  group.flatMap(({ numbers }) => numbers.get(measure) ?? []);
const digits = (x: number): string => (Math.abs(x) < NOTHING ? '0' : String(Number(x.toPrecision(4))));
/** What rounding leaves of a spread of equal numbers, beside their mean. */
const ROUNDING = 1e-12;

function meanOf(group: readonly Item[], measure: string): string {
  const values = valuesOf(group, measure).map((value) => (isShare(measure) ? 100 * value : value));
  if (values.length === 0) return '–';
  const found = interval(values);
  const half = found.half < ROUNDING * Math.abs(found.mean) ? 0 : found.half;
  return withHalf({ ...found, half }, digits);
}

/** What curves may be along; the first that their points have is taken. */
const ALONG = ['epoch', 'step', 'steps', 'seconds', 'examples', 'density'];

/** One chart for every number along the curves: means over seeds, point by point, of the first few configurations. */
function chartsOf(groups: readonly (readonly Item[])[], nameOf: (group: readonly Item[]) => string): LineChart[] {
  const curved = groups.filter((group) => group.every(({ curve }) => curve.length > 0));
  const drawn = curved.slice(0, MOST_LINES).map((group) => ({ name: nameOf(group), curves: curvesOf(group) }));
  const fields = new Set(drawn.flatMap(({ curves: [curve] }) => Object.keys(curve[0])));
  const along = ALONG.find((field) => fields.has(field));
  const more = curved.length > MOST_LINES ? `, the first ${MOST_LINES} of ${curved.length}` : '';
  return [...fields]
    .filter((field) => !ALONG.includes(field))
    .map((field) => {
      const times = isShare(field) ? 100 : 1;
      return {
        title: `${nameInWords(field)}, means over seeds${more}`,
        x: along ? nameInWords(along) : 'point of the curve',
        y: times === 100 ? '%' : nameInWords(field),
        lines: drawn.map(({ name, curves }) => {
          const length = Math.min(...curves.map((curve) => curve.length));
          const mean = (name: string, i: number): number =>
            interval(curves.map((curve) => Number(curve[i][name]))).mean;
          const points = Array.from({ length }, (_, i) => ({
            x: along === undefined ? i + 1 : mean(along, i),
            y: times * mean(field, i),
          }));
          return { name, points: points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)) };
        }),
      };
    })
    .filter(({ lines }) => lines.some(({ points }) => points.length > 0));
}

/** The curves of a configuration, one a seed; records of single points are one curve together. */
function curvesOf(group: readonly Item[]): readonly (readonly Json[])[] {
  const curves = group.map(({ curve }) => curve);
  const oneSeed = group.length > 1 && new Set(group.map(({ seed }) => seed)).size === 1;
  return oneSeed && curves.every(({ length }) => length === 1) ? [curves.flat()] : curves;
}

/** Finished trainings by their gater, for the published table. */
function besideMeans(groups: readonly (readonly Item[])[]): Published | undefined {
  const ours = new Map<string, Figures>();
  const settings = new Set<string>();
  for (const group of groups) {
    const [{ config }] = group;
    const gater = config.gater ?? (config.role === undefined || config.role === 'gates' ? config.neuron : undefined);
    const figures = figuresOf(group);
    if (typeof gater !== 'string' || !figures) continue;
    ours.set(gater, figures);
    settings.add(`data ${config.data ?? 'not stated'}, units ${config.units ?? 'not stated'}`);
  }
  return publishedBesideReport(ours, [...settings]);
}

function figuresOf(group: readonly Item[]): Figures | undefined {
  const mean = (...measures: readonly string[]): number | undefined => {
    const values = measures.map((measure) => valuesOf(group, measure)).find(({ length }) => length > 0);
    return values && interval(values).mean;
  };
  const [train, valid, test] = [
    mean('final.criterion.sampled', 'trainLoss'),
    mean('final.valid.threshold', 'validError'),
    mean('final.test.threshold', 'testError.threshold'),
  ];
  return test === undefined
    ? undefined
    : { test: 100 * test, ...(train !== undefined && { train }), ...(valid !== undefined && { valid: 100 * valid }) };
}

/** The lines of a report's Markdown that say what was claimed and found. */
function findingsOf(markdown: string): string[] {
  return markdown
    .split('\n')
    .filter((line) => /^(Claimed: |- \*\*)/.test(line))
    .map((line) => line.replace(/^- /, '').replaceAll('**', '').replaceAll('`', ''));
}
