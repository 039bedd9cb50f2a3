import { countNonZero } from '../math/statistics.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { Model } from '../nn/model.ts';
import { classification } from '../tasks/classification.ts';
import type { Task, TaskData } from '../tasks/task.ts';
import { forEachBatch } from './evaluate.ts';

/**
 * Sets every stochastic site's threshold so that, on held-out data, its share of open units in threshold mode is the target
 * rate; a site without a target keeps the share that it has when sampled, and one whose neuron selects for itself is left alone. Sites are set in order, each under the thresholds
 * of those below it. Source: Bengio, Léonard, Courville 2013, §5 ("threshold chosen to give 10% ones").
 * A site that no row of the data reaches keeps its threshold.
 * @param held held-out data; at most `examples` of them are used
 * @throws RangeError for no examples
 */
export function calibrate<D extends TaskData>(
  model: Model,
  held: D,
  examples = 1000,
  task: Pick<Task<D>, 'gather' | 'run'> = classification as unknown as Task<D>,
): void {
  if (!(examples >= 1))
    throw new RangeError(`calibrate was given ${examples} examples. Expected a whole number of 1 or more.`);
  const part = { held, examples, task };
  for (const site of model.stochasticSites) {
    if (site.neuron.selects || site.neuron.group) continue;
    const share = site.rate ?? sampledShare(model, site, part);
    const logits = collectLogits(model, site, part);
    // A site that the data do not reach, as in a part whose gate stays closed, keeps its threshold.
    if (logits.length === 0) continue;
    logits.sort();
    site.threshold = cutOf(logits, Math.round(share * logits.length));
  }
}

/**
 * A threshold that about `open` of the logits exceed: halfway between two neighbours that differ, as near to that count as ties allow. The largest
 * logit where `open` is 0, and only there; −∞ where all are open, so that smaller logits of other data are open too.
 * @param logits in ascending order
 */
function cutOf(logits: Float32Array, open: number): number {
  const { length } = logits;
  if (open === 0) return logits[length - 1];
  const target = length - open;
  const isCut = (index: number): boolean => index === 0 || (index < length && logits[index - 1] < logits[index]);
  for (let distance = 0; distance <= length; distance++)
    for (const index of [target - distance, target + distance])
      if (index >= 0 && isCut(index))
        return index === 0 ? Number.NEGATIVE_INFINITY : (logits[index - 1] + logits[index]) / 2;
  return Number.NEGATIVE_INFINITY;
}

/** Held-out data, and how they are run. */
interface Part<D extends TaskData> {
  readonly held: D;
  readonly examples: number;
  readonly task: Pick<Task<D>, 'gather' | 'run'>;
}

function sampledShare<D extends TaskData>(model: Model, site: FiringSite, { held, examples, task }: Part<D>): number {
  let open = 0;
  let all = 0;
  forEachBatch(model, held, task, { mode: 'sample', examples }, () => {
    const h = site.last?.h;
    if (!h) return;
    all += h.size;
    open += countNonZero(h.values);
  });
  return open / Math.max(1, all);
}

function collectLogits<D extends TaskData>(
  model: Model,
  site: FiringSite,
  { held, examples, task }: Part<D>,
): Float32Array {
  const parts: Float32Array[] = [];
  forEachBatch(model, held, task, { mode: 'threshold', examples }, () => {
    if (site.last) parts.push(site.last.logits.array.toArray());
  });
  const logits = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    logits.set(part, at);
    at += part.length;
  }
  return logits;
}
