import { type Figure, type Part, prefixed } from './task.ts';

export type { Figure } from './task.ts';

/** What a task tells, as plain JSON: with it the events of a training are read without the task's code. */
export interface Reading {
  /** What is minimised. */
  readonly loss: Figure;
  /** The metrics by name; those that are not here read as plain numbers. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** The metric that the best epoch is chosen by. */
  readonly best: { readonly metric: string; readonly better: 'less' | 'more' };
  /** Sums that are kept while an epoch is trained. */
  readonly counted: readonly string[];
  /** Is it measured by passes of its own, and not in the modes of inference? */
  readonly assessed: boolean;
}

/** What of a task its reading is made of. */
export interface Readable {
  readonly best: Reading['best'];
  readonly counted?: readonly string[];
  readonly assess?: unknown;
  readonly loss?: Figure;
  readonly figures?: Readonly<Record<string, Figure>>;
}

/** How the numbers of a task read. */
export function readingOf({ best, counted = [], assess, loss, figures }: Readable): Reading {
  return {
    loss: loss ?? { title: 'loss' },
    figures: figures ?? { [best.metric]: { title: best.metric } },
    best,
    counted,
    assessed: assess !== undefined,
  };
}

/** The name of a metric in events: `error` of `valid` is `validError`. */
export const nameIn = (part: Part, metric: string): string => Object.keys(prefixed(part, { [metric]: 0 }))[0];

/** What has to be a number in an epoch's event, and what may be one. */
export function epochNumbers({ figures, best, assessed }: Reading): {
  all: readonly string[];
  some: readonly string[];
} {
  const ofPart = (part: Part) =>
    Object.entries(figures).flatMap(([name, { parts = PARTS }]) => (parts.includes(part) ? [nameIn(part, name)] : []));
  return {
    all: ['trainLoss', nameIn('valid', best.metric), 'learningRate', 'seconds', ...(assessed ? [] : ['density'])],
    some: [...ofPart('train'), ...ofPart('valid'), 'validLoss', 'density', 'deviation', 'complexity'],
  };
}

const PARTS: readonly Part[] = ['train', 'valid', 'test'];

/** A number that is told of every epoch, as a column has it. */
export interface EpochColumn {
  readonly part: 'train' | 'valid';
  /** The metric; none for what is minimised. */
  readonly metric?: string;
  readonly figure: Figure;
  /** Is the best epoch chosen by it? */
  readonly chooses: boolean;
  /** Undefined in an event that lacks it. */
  of(event: object): number | undefined;
}

/** What every epoch tells, training first: what is minimised (where no metric says the same), and the metrics. */
export function epochColumns({ loss, figures, best }: Reading): EpochColumn[] {
  const told = (name: string) => (event: object) => (event as Readonly<Record<string, number | undefined>>)[name];
  const covered = Object.values(figures).some(({ timesLoss }) => timesLoss !== undefined);
  return (['train', 'valid'] as const).flatMap((part): EpochColumn[] => {
    const losses = covered ? [] : [{ part, figure: loss, chooses: false, of: told(`${part}Loss`) }];
    const metrics = Object.entries(figures).flatMap(([metric, figure]): EpochColumn[] => {
      const { parts = PARTS, timesLoss } = figure;
      const chooses = part === 'valid' && metric === best.metric;
      if (part === 'train' && timesLoss !== undefined) {
        const lossOf = told('trainLoss');
        return [{ part, metric, figure, chooses, of: (event) => (lossOf(event) ?? Number.NaN) * timesLoss }];
      }
      return parts.includes(part) ? [{ part, metric, figure, chooses, of: told(nameIn(part, metric)) }] : [];
    });
    return [...losses, ...metrics];
  });
}

/** What of an epoch is drawn together: one quantity, of training and of validation. */
export interface EpochChart {
  readonly title: string;
  /** Of the numbers as they are drawn: shares in percent. */
  readonly unit: string;
  readonly lines: readonly {
    readonly part: 'train' | 'valid';
    /** The value that an epoch's event has; undefined: none. */
    of(event: object): number | undefined;
  }[];
}

/** A chart for what is minimised and for every metric. */
export function epochCharts(task: Reading): EpochChart[] {
  const columns = epochColumns(task);
  const metrics = [...new Set(columns.map(({ metric }) => metric))];
  return metrics.map((metric) => {
    const own = columns.filter((column) => column.metric === metric);
    const { title, unit = '' } = own[0].figure;
    const times = unit === 'share' ? 100 : 1;
    const lines = own.map(({ part, of }) => ({
      part,
      of(event: object) {
        const value = of(event);
        return value === undefined ? undefined : times * value;
      },
    }));
    return { title, unit: unit === 'share' ? '%' : unit, lines };
  });
}

/** The metrics that a result tells of a part of the data, with their names in it. */
export const resultFigures = ({ figures }: Reading, part: Part): { name: string; metric: string; figure: Figure }[] =>
  Object.entries(figures).flatMap(([metric, figure]) =>
    (figure.parts ?? PARTS).includes(part) ? [{ name: nameIn(part, metric), metric, figure }] : [],
  );

/** A number as its figure reads. */
export function figureText({ unit, digits }: Pick<Figure, 'unit' | 'digits'>, value: number): string {
  return unit === 'share' ? `${(100 * value).toFixed(digits ?? 2)}%` : value.toFixed(digits ?? 4);
}

/** Less is better. */
export const scoreOf = ({ best }: Pick<Reading, 'best'>, value: number): number =>
  best.better === 'less' ? value : -value;
