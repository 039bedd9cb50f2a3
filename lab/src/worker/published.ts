import { ROWS } from '../../../experiments/table-1/rows.ts';
import type { RunRecord } from '../../../src/index.ts';

/** A training criterion in nats, errors in percent. */
export interface Figures {
  readonly train?: number;
  readonly valid?: number;
  readonly test?: number;
}

/** A line of the one published table, and what stands beside it here. */
export interface PublishedRow {
  readonly gater: string;
  readonly published: Figures;
  readonly here?: Figures;
}

/** Figures beside the published ones, where they come from, and in what the setting is another. */
export interface Published {
  readonly source: string;
  readonly rows: readonly PublishedRow[];
  readonly note: string;
}

const SOURCE = 'Bengio, Léonard, Courville 2013, Table 1: best of a search, one run each, no error bars';
const PLACE = { data: 'mnist', units: 2000, blocks: 2000 };

/** The names under which a row's gater goes: that of the table, and the neuron's. */
const NAMES = ROWS.map(({ gater, neuron, settings }) => {
  const spec = neuron(settings[0]);
  const name = typeof spec === 'string' ? spec : spec.name;
  return new Set([gater, gater.replaceAll(' ', '-'), name]);
});

/** The published table with figures of ours beside the rows of their gaters. */
function beside(ours: ReadonlyMap<string, Figures>, note: string): Published | undefined {
  const rows = ROWS.flatMap(({ gater, published }, i): PublishedRow[] => {
    if (!published) return [];
    const name = [...ours.keys()].find((candidate) => NAMES[i].has(candidate));
    const here = name === undefined ? undefined : ours.get(name);
    return [{ gater, published, ...(here && { here }) }];
  });
  return rows.some(({ here }) => here) ? { source: SOURCE, rows, note } : undefined;
}

/** The published table beside a finished run; undefined where its neuron is not in it. */
export function publishedBesideRun({ config, model, data, result }: RunRecord): Published | undefined {
  const [layer] = model.layers;
  if (!result || layer.layer !== 'gated') return undefined;
  const { units, blocks = units } = layer;
  const own = { data: data.source, units, blocks };
  const differing = (Object.keys(PLACE) as (keyof typeof PLACE)[]).filter((name) => own[name] !== PLACE[name]);
  const others = differing.map((name) => `${name} ${own[name]}, not ${PLACE[name]}`);
  const note =
    others.length === 0
      ? 'The same data and widths; schedule and search are another. One run has no interval.'
      : `Another problem (${others.join('; ')}): the figures stand beside each other and do not test each other.`;
  const [neuron] = String(config.neuron).split(':');
  const { trainLoss, validError, testError } = result;
  // The table is one of errors.
  if (trainLoss === undefined || validError === undefined || typeof testError !== 'object') return undefined;
  const here = { train: trainLoss, valid: 100 * validError, test: 100 * testError.threshold };
  return beside(new Map([[neuron, here]]), note);
}

/** The published table beside means of a report, by the name of the gater. @param settings of its trials: `data mnist, units 2000` */
export function publishedBesideReport(
  ours: ReadonlyMap<string, Figures>,
  settings: readonly string[],
): Published | undefined {
  const own = `data ${PLACE.data}, units ${PLACE.units}`;
  const note = settings.every((setting) => setting === own)
    ? 'Means over the report’s seeds, threshold mode, the same data and widths; schedule and search are another.'
    : `Another problem, or one that the records do not state (here: ${settings.join('; ')}; there: ${own}): the figures stand beside each other and do not test each other.`;
  return beside(ours, note);
}
