import { type Dataset, slice } from '../data/dataset.ts';
import { countNonZero } from '../math/statistics.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { Model } from '../nn/model.ts';
import { forEachBatch } from './evaluate.ts';

/**
 * Sets every stochastic site's threshold so that, on held-out data, its share of open units in threshold mode is the target
 * rate; a site without a target keeps the share that it has when sampled, and one whose neuron selects for itself is left alone. Sites are set in order, each under the thresholds
 * of those below it. Source: Bengio, Léonard, Courville 2013, §5 ("threshold chosen to give 10% ones").
 * @param held held-out data; at most `examples` of them are used
 */
export function calibrate(model: Model, held: Dataset, examples = 1000): void {
  const part = held.count > examples ? slice(held, 0, examples) : held;
  for (const site of model.stochasticSites) {
    if (site.neuron.selects || site.neuron.group) continue;
    const share = site.rate ?? sampledShare(model, site, part);
    const logits = collectLogits(model, site, part);
    logits.sort();
    // Units over the threshold are open: it lies between the two logits around the quantile.
    const open = Math.round(share * logits.length);
    if (open === logits.length) {
      // Units that are always open (smooth ones with noise) stay so on data with smaller logits.
      site.threshold = Number.NEGATIVE_INFINITY;
      continue;
    }
    const index = logits.length - open;
    const below = logits[index - 1];
    const above = logits[index] ?? below;
    site.threshold = index === logits.length ? below : (below + above) / 2;
  }
}

function sampledShare(model: Model, site: FiringSite, data: Dataset): number {
  let open = 0;
  let all = 0;
  forEachBatch(model, data, { mode: 'sample' }, () => {
    const h = site.last?.h;
    if (!h) return;
    all += h.size;
    open += countNonZero(h.values);
  });
  return open / Math.max(1, all);
}

function collectLogits(model: Model, site: FiringSite, data: Dataset): Float32Array {
  const logits = new Float32Array(data.count * site.units);
  let at = 0;
  forEachBatch(model, data, { mode: 'threshold' }, () => {
    if (!site.last) return;
    logits.set(site.last.logits.values, at);
    at += site.last.logits.size;
  });
  return logits.subarray(0, at);
}
