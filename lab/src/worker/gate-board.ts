import { type Dataset, gateExamples, gateInformation, gateRates, type Model } from '../../../src/index.ts';
import { type BlockHealth, healthOf } from '../block-words.ts';

/** One gate: how it does on the test digits, every gate sampled once for each. */
export interface GateRow {
  readonly site: string;
  readonly unit: number;
  /** Share of the digits that open it. */
  readonly rate: number;
  /** The same by class. */
  readonly rates: readonly number[];
  /** Mutual information of gate and class, in bits. */
  readonly information: number;
  readonly health: BlockHealth;
  /** Examples that open it most: places in `Board.pictures`. */
  readonly pictures: readonly number[];
  /** 28 × 28 bytes: what these digits have more of than those of other gates. */
  readonly picture: Uint8Array;
}

/** The gates of a network, or the most informative of them where there are many. */
export interface Board {
  readonly gates: readonly GateRow[];
  /** What can be held: every site of the network, and its units. */
  readonly sites: readonly { readonly site: string; readonly units: number }[];
  /** Gates that there are, dead ones, and ones that are always on. */
  readonly all: { readonly gates: number; readonly dead: number; readonly alwaysOn: number; readonly rate: number };
  /** Digits that any of them names: 784 bytes each, and the class of each. */
  readonly pictures: Uint8Array;
  readonly labels: Uint8Array;
}

/** Gates that a page shows. */
export const MOST_GATES = 64;
const MOST_PICTURES = 12;

/** @throws RangeError for a network without gates that have a target rate */
export function checkGates(model: Model): void {
  if (!model.sites.some(({ rate }) => rate !== undefined))
    throw new RangeError('The network has no gates with a target rate. Expected a run of `--model gated`.');
}

/** How the gates of a network do on digits. @param shown the same as the network is shown them */
export function boardOf(model: Model, data: Dataset, shown: Dataset): Board {
  const sites = gateRates(model, shown, { mode: 'sample' });
  const examples = gateExamples(model, shown, { most: MOST_PICTURES, mode: 'sample' });
  const rows = sites.flatMap((site, s) => {
    const information = gateInformation(site);
    const total = site.examples.reduce((sum, count) => sum + count, 0);
    return Array.from({ length: site.units }, (_, unit) => {
      const rates = Array.from(site.examples, (_count, label) => site.rates[label * site.units + unit]);
      const rate = rates.reduce((sum, own, label) => sum + (own * site.examples[label]) / total, 0);
      const { most } = examples[s];
      const numbers = [...examples[s].examples.subarray(unit * most, (unit + 1) * most)].filter((n) => n >= 0);
      return {
        site: site.site,
        unit,
        rate,
        rates,
        information: information[unit],
        health: healthOf(rate),
        pictures: numbers,
      };
    });
  });
  const kept = new Set(rows.toSorted((a, b) => b.information - a.information).slice(0, MOST_GATES));
  const gates = rows.filter((row) => kept.has(row));
  const numbers = [...new Set(gates.flatMap(({ pictures }) => pictures))];
  const pictures = new Uint8Array(numbers.length * data.width);
  numbers.forEach((number, i) => {
    pictures.set(data.features.subarray(number * data.width, (number + 1) * data.width), i * data.width);
  });
  const everyone = meanOf(data, numbers);
  return {
    sites: model.sites.map(({ name, units }) => ({ site: name, units })),
    gates: gates.map((row) => ({
      ...row,
      pictures: row.pictures.map((number) => numbers.indexOf(number)),
      picture: portrait(meanOf(data, row.pictures), everyone),
    })),
    all: {
      gates: rows.length,
      dead: rows.filter(({ health }) => health === 'dead').length,
      alwaysOn: rows.filter(({ health }) => health === 'always on').length,
      rate: rows.reduce((sum, { rate }) => sum + rate, 0) / rows.length,
    },
    pictures,
    labels: Uint8Array.from(numbers, (number) => data.labels[number]),
  };
}

/** Pixel by pixel; nothing of no digits. */
function meanOf({ features, width }: Dataset, numbers: readonly number[]): Float64Array {
  const mean = new Float64Array(width);
  for (const number of numbers)
    for (let p = 0; p < width; p++) mean[p] += features[number * width + p] / numbers.length;
  return mean;
}

/** Of the mean of all, this share is taken from a portrait. */
const COMMON = 0.5;

/** Bytes: what a mean has more of than the mean of all. */
export function portrait(own: Float64Array, everyone: Float64Array): Uint8Array {
  const more = own.map((value, i) => Math.max(0, value - COMMON * everyone[i]));
  const largest = Math.max(1e-9, ...more);
  return Uint8Array.from(more, (value) => Math.round((255 * value) / largest));
}
