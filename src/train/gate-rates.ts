import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../nn/model.ts';
import { checkOptions } from '../schema/schema.ts';
import { classification } from '../tasks/classification.ts';
import { allRows } from './all-rows.ts';
import { type EvaluateOptions, forEachBatch } from './evaluate.ts';
import { evaluateOptionsSchema } from './settings.ts';

/** How often the units of one site fire for the examples of each class. */
export interface GateRates {
  readonly site: string;
  readonly units: number;
  /** classes × units, row-major: share of the class's examples for which the unit fired (h ≠ 0), in parts behind gates too. */
  readonly rates: Float64Array;
  /** Examples of each class. */
  readonly examples: Float64Array;
}

/** Which gates open for which class: one table for every site with a target rate. */
export function gateRates(model: Model, dataset: Dataset, options: EvaluateOptions = {}): GateRates[] {
  checkOptions(evaluateOptionsSchema, options, 'gateRates');
  const sites = model.sites.filter(({ rate }) => rate !== undefined);
  const tables = sites.map(({ units }) => new Float64Array(dataset.classes * units));
  const examples = new Float64Array(dataset.classes);
  let seen = 0;
  forEachBatch(model, dataset, classification, options, (_pass, { rows }) => {
    for (let r = 0; r < rows; r++) examples[dataset.labels[seen + r]]++;
    sites.forEach((site, s) => {
      const { units } = site;
      allRows(site)
        ?.open()
        .forEach((open, i) => {
          if (open) tables[s][dataset.labels[seen + Math.floor(i / units)] * units + (i % units)]++;
        });
    });
    seen += rows;
  });
  return sites.map(({ name, units }, s) => ({
    site: name,
    units,
    rates: tables[s].map((count, i) => count / Math.max(1, examples[Math.floor(i / units)])),
    examples: examples.slice(),
  }));
}
