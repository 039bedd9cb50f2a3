import { interval, withHalf } from '../../../experiments/kit/statistics.ts';
import { type LineChart, MOST_LINES } from '../chart.ts';
import { type Figures, type Published, publishedBesideReport } from './published.ts';

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
  readonly command: string;
}

type Json = Readonly<Record<string, unknown>>;

interface Item {
  /** Is it a trial of `flipgrad reproduce`? */
  readonly inTrial: boolean;
  readonly config: Json;
  readonly seed: number;
  /** Numbers by their path: `test.sampled`. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly curve: readonly Json[];
}

/** What says where a record is from, and not what it is. */
const PROVENANCE = new Set(['event', 'engine', 'node', 'commit', 'dataChecksum', 'threads', 'seed', 'seconds']);
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads records (JSON lines): trials of `flipgrad reproduce`, or results of trainings.
 * @param text of the file, and of the Markdown that was written beside it
 * @throws RangeError with a sentence when it is neither
 */
export function readReport(name: string, text: string, markdown = ''): ReportView {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new RangeError(`${name} is empty. Expected a file of records, one JSON object a line.`);
  const items = lines.map((line, i) => itemOf(parsed(line, `Line ${i + 1} of ${name}`), `Line ${i + 1} of ${name}`));
  const fields = [...new Set(items.flatMap(({ config }) => Object.keys(config)))];
  const shown = fields.filter((field) => new Set(items.map(({ config }) => JSON.stringify(config[field]))).size > 1);
  const groups = [...Map.groupBy(items, ({ config }) => JSON.stringify(config)).values()];
  const measures = [...new Set(items.flatMap(({ numbers }) => [...numbers.keys()]))];
  const nameOf = ([{ config }]: readonly Item[]): string => shown.map((field) => brief(config[field])).join(', ');
  const reproduced = items.every(({ inTrial }) => inTrial);
  const experiment = name.replace(/\.jsonl$/, '');
  const published = besideMeans(groups);
  return {
    kind: 'report',
    name,
    trials: items.length,
    seeds: new Set(items.map(({ seed }) => seed)).size,
    head: [...shown, ...measures],
    rows: groups.map((group) => [
      ...shown.map((field) => brief(group[0].config[field])),
      ...measures.map((measure) => meanOf(group, measure)),
    ]),
    charts: chartsOf(groups, nameOf),
    ...(published && { published }),
    findings: findingsOf(markdown),
    command: reproduced
      ? `flipgrad reproduce ${experiment.replace(/-(quick|medium)$/, ' --$1')}`
      : `flipgrad lab   # then pick ${name} on this page`,
  };
}

function parsed(line: string, where: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RangeError(`${where} is no JSON. Expected a run's folder, or the records (.jsonl) of a report.`);
  }
  if (!isObject(value)) throw new RangeError(`${where} is no JSON object. Expected the records of a report.`);
  return value;
}

function itemOf(record: Json, where: string): Item {
  // Earlier versions wrote `cell` for `trial`.
  const { result, trial = record.cell } = record;
  if (isObject(trial) && isObject(result) && typeof trial.seed === 'number') {
    const { seed, ...config } = trial;
    return { inTrial: true, config, seed, numbers: numbersOf(result), curve: curveOf(result) };
  }
  if (record.event === 'result' && typeof record.seed === 'number') {
    const config = Object.entries(record).filter(([key, value]) => typeof value === 'string' && !PROVENANCE.has(key));
    return {
      inTrial: false,
      config: Object.fromEntries(config),
      seed: record.seed,
      numbers: numbersOf(record),
      curve: curveOf(record),
    };
  }
  throw new RangeError(
    `${where} is neither a trial of \`flipgrad reproduce\` nor a training's result. Expected such records, or a run's folder.`,
  );
}

const curveOf = ({ curve }: Json): readonly Json[] => (Array.isArray(curve) ? curve.filter(isObject) : []);

function numbersOf(record: Json, path = ''): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, value] of Object.entries(record)) {
    if (PROVENANCE.has(key)) continue;
    if (typeof value === 'number') found.set(path + key, value);
    else if (isObject(value))
      for (const [inner, number] of numbersOf(value, `${path}${key}.`)) found.set(inner, number);
  }
  return found;
}

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

const valuesOf = (group: readonly Item[], measure: string): number[] =>
  group.flatMap(({ numbers }) => numbers.get(measure) ?? []);
const digits = (x: number): string => String(Number(x.toPrecision(4)));
/** What rounding leaves of a spread of equal numbers, beside their mean. */
const ROUNDING = 1e-12;

function meanOf(group: readonly Item[], measure: string): string {
  const values = valuesOf(group, measure);
  if (values.length === 0) return '–';
  const found = interval(values);
  const half = found.half < ROUNDING * Math.abs(found.mean) ? 0 : found.half;
  return withHalf({ ...found, half }, digits);
}

/** One chart for every number along the curves: means over seeds, epoch by epoch, of the first few configurations. */
function chartsOf(groups: readonly (readonly Item[])[], nameOf: (group: readonly Item[]) => string): LineChart[] {
  const drawn = groups.filter((group) => group.every(({ curve }) => curve.length > 0)).slice(0, MOST_LINES);
  const fields = new Set(drawn.flatMap(([{ curve }]) => Object.keys(curve[0])));
  return [...fields]
    .filter((field) => !['epoch', 'steps', 'seconds'].includes(field))
    .map((field) => ({
      title: `${field}, means over seeds`,
      x: 'point of the curve',
      y: field,
      lines: drawn.map((group) => {
        const length = Math.min(...group.map(({ curve }) => curve.length));
        const points = Array.from({ length }, (_, i) => {
          const values = group.map(({ curve }) => Number(curve[i][field]));
          return { x: Number(group[0].curve[i].epoch ?? i + 1), y: interval(values).mean };
        });
        return { name: nameOf(group), points: points.filter(({ y }) => Number.isFinite(y)) };
      }),
    }));
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
