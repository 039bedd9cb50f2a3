import { meanOf } from '../math/repeats.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { Model } from '../nn/model.ts';
import { siteOf } from '../train/estimator-probe.ts';
import type { Clock, ProgressEvent } from './advise-clock.ts';
import { type SiteAudit, SiteAuditor } from './audit-site.ts';
import { affordable } from './candidates.ts';
import { type RaceTrack, Runner } from './race.ts';

/** Gradients of one neuron at several points of a short training: means over the points. Squares are over |∇|². */
export interface MeasuredNeuron {
  readonly neuron: string;
  readonly points: number;
  readonly evaluations: number;
  /** |E[ĝ] − ∇| over |∇|, of the mean of the squares. */
  readonly bias: number;
  readonly variance: number;
  /** Variance × evaluations: what noise is left at equal compute. */
  readonly variancePerEvaluation: number;
  /** Bias² + variance·evaluations/64. */
  readonly atEqualCompute: number;
  readonly skips: boolean;
}

/** The training that gradients are measured in. */
export interface MeasuredTrack extends RaceTrack {
  /** What trains the network that gradients are measured on; its units are bits. Also the one that others are compared with. */
  readonly carrier: string;
  /** A trained network with the same layers, to measure on as well. */
  readonly trained?: Model;
}

/** Share of `seconds` that gradients are measured in; the races, which decide, have the other 0.7. */
const MEASURE_UNTIL = 0.3;
/** Points of the training at which gradients are measured: its beginning, and twice later, since the ranking changes while a network learns. */
const POINTS = 3;
/** Neurons of binary units that race in the heat, at most: the best by their measured gradients. With others beside them a racer still has seconds of training. */
export const HEAT_OF_BITS = 5;
/** Share of `seconds` after which a slow machine measures no further neuron, once HEAT_OF_BITS neurons are measured. */
const LATEST = 0.4;
/** Neurons measured at the later points: the best of the first point, three times as many as race. */
const FOLLOWED = 16;
/** Most evaluations of the loss a gradient; neurons that ask for more in this network would race on too few steps. */
export const MOST_EVALUATIONS = 32;

/** Audits all neurons at points of a short training by the carrier; best at equal compute first. */
export async function* measureCandidates(
  options: MeasuredTrack,
  neurons: ReadonlyMap<string, Neuron>,
  clock: Clock,
): AsyncGenerator<ProgressEvent, MeasuredNeuron[]> {
  if (neurons.size === 0) return [];
  const found = new Map<string, SiteAudit[]>();
  const { data, carrier, batch, trained } = options;
  const engine = await options.makeEngine();
  const budget = { repeats: 12, warmUp: 12 };
  async function* at(model: Model, indices: Int32Array, what: string): AsyncGenerator<ProgressEvent, void> {
    const site = siteOf(model);
    const auditor = new SiteAuditor(model, site, data.train, { indices, ...budget });
    // After the first point, those that do best there.
    const worth = found.size === 0 ? [...neurons.keys()] : ranked(found).slice(0, FOLLOWED);
    const fitting = [...neurons].filter(
      ([text, neuron]) => worth.includes(text) && affordable(neuron, site.units, MOST_EVALUATIONS),
    );
    for (const [i, [text, neuron]] of fitting.entries()) {
      yield clock.progress(`gradients ${what}: ${i + 1} of ${fitting.length}, ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
      options.signal?.throwIfAborted();
      if (clock.used > LATEST && found.size >= HEAT_OF_BITS) return;
      found.set(text, [...(found.get(text) ?? []), auditor.audit(neuron, text)]);
    }
  }
  try {
    const runner = new Runner(engine, options, carrier, 1);
    const rows = Math.min(batch, 20);
    if (trained) yield* at(trained, runner.minibatch().slice(0, rows), 'in the trained network');
    for (let point = 0; point < POINTS && (point === 0 || clock.used < MEASURE_UNTIL); point++) {
      await runner.train(clock.share(MEASURE_UNTIL, 2 * (POINTS - point)) / 4);
      yield* at(runner.model, runner.minibatch().slice(0, rows), `after ${runner.steps} steps`);
    }
  } finally {
    engine.close();
  }
  const most = Math.max(0, ...[...found.values()].map(({ length }) => length));
  return (
    [...found]
      .map(([neuron, audits]): MeasuredNeuron => {
        const [{ evaluations, skips }] = audits;
        const variance = average(audits, (audit) => audit.variance);
        return {
          neuron,
          points: audits.length,
          evaluations,
          bias: Math.sqrt(average(audits, ({ bias }) => (bias?.value ?? 0) ** 2)),
          variance,
          variancePerEvaluation: variance * evaluations,
          atEqualCompute: average(audits, (audit) => audit.atEqualCompute),
          skips,
        };
      })
      // Those that were measured at all points come first: one point alone may be an easy one.
      .sort((a, b) => Number(b.points === most) - Number(a.points === most) || a.atEqualCompute - b.atEqualCompute)
  );
}

const average = (audits: readonly SiteAudit[], of: (audit: SiteAudit) => number): number =>
  meanOf(audits.map(of)).value;

/** Best at equal compute first. */
function ranked(found: ReadonlyMap<string, readonly SiteAudit[]>): string[] {
  const error = (audits: readonly SiteAudit[]): number => average(audits, (audit) => audit.atEqualCompute);
  return [...found].sort(([, a], [, b]) => error(a) - error(b)).map(([text]) => text);
}
