import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../nn/model.ts';
import { checkOptions } from '../schema/schema.ts';
import { classification } from '../tasks/classification.ts';
import { allRows } from './all-rows.ts';
import { type EvaluateOptions, forEachBatch } from './evaluate.ts';
import { evaluateOptionsSchema } from './settings.ts';

/** For which examples the units of one site are most likely to open. */
export interface GateExamples {
  readonly site: string;
  readonly units: number;
  /** Examples named for each unit. */
  readonly most: number;
  /**
   * units × most, row-major: the numbers of the examples with the largest logits, the largest first, of equal ones the earlier; −1 where
   * no more examples reach the site, as one behind gates.
   */
  readonly examples: Int32Array;
  /** units × most: their logits. */
  readonly logits: Float32Array;
}

/**
 * The examples that open each gate most, one table for every site with a target rate. P(open) grows with a unit's logit, so they are those
 * with the largest logits; the gate need not open for all of them.
 * `most` says how many; default 12, or as many as there are.
 * @throws RangeError when `most` is no whole number from 1 up, or a held unit does not exist
 */
export function gateExamples(
  model: Model,
  dataset: Dataset,
  { most = 12, ...options }: EvaluateOptions & { readonly most?: number } = {},
): GateExamples[] {
  checkOptions(evaluateOptionsSchema, options, 'gateExamples');
  if (!Number.isInteger(most) || most < 1)
    throw new RangeError(`\`most\` is ${most}. Expected a whole number from 1 up.`);
  const kept = Math.min(most, dataset.count);
  const sites = model.sites.filter(({ rate }) => rate !== undefined);
  const tables = sites.map(({ name, units }) => ({
    site: name,
    units,
    most: kept,
    examples: new Int32Array(units * kept).fill(-1),
    logits: new Float32Array(units * kept).fill(Number.NEGATIVE_INFINITY),
  }));
  let seen = 0;
  forEachBatch(model, dataset, classification, options, (_pass, { rows }) => {
    sites.forEach((site, s) => {
      const { units } = site;
      allRows(site)
        ?.logits()
        .forEach((logit, i) => {
          insert(tables[s], i % units, seen + Math.floor(i / units), logit);
        });
    });
    seen += rows;
  });
  return tables;
}

/** Puts an example at its place in the unit's list, if it has one. */
function insert({ most, examples, logits }: GateExamples, unit: number, example: number, logit: number): void {
  const from = unit * most;
  let place = from + most;
  // Earlier examples come first: an equal logit stays before.
  while (place > from && logit > logits[place - 1]) place--;
  if (place === from + most) return;
  examples.copyWithin(place + 1, place, from + most - 1);
  logits.copyWithin(place + 1, place, from + most - 1);
  examples[place] = example;
  logits[place] = logit;
}
