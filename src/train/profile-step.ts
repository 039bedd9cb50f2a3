import type { ProfileRow } from '../backend/profile.ts';
import { median } from '../math/statistics.ts';
import type { Model } from '../nn/model.ts';
import type { Optimizer } from '../optim/index.ts';
import { randomStream } from '../random/stream.ts';
import type { Batch } from '../tasks/examples.ts';
import { Stepper } from './step.ts';

/** Where the time of a training step goes. */
export interface StepProfile {
  /** Examples in the minibatch. */
  readonly rows: number;
  /** Of a step without a clock in it: the median, milliseconds. */
  readonly milliseconds: number;
  /** Of one step, forward, all examples together. */
  readonly multiplyAdds: number;
  /**
   * Means over the faster half of the steps that were taken with a clock, in the order of the step; the last row is all that stands
   * in no other.
   */
  readonly activities: readonly ProfileRow[];
}

const INPUTS = 77;
const WARM_UP = 3;

/**
 * Takes steps on random examples, classes drawn evenly; every other one with a clock.
 * @param options.milliseconds least duration; default 2000
 * @param options.clock milliseconds from any origin; default: wall time. On a busy machine processor time is steadier
 */
export function profileStep(
  model: Model,
  optimizer: Optimizer,
  {
    rows,
    milliseconds = 2000,
    clock = () => performance.now(),
  }: { readonly rows: number; readonly milliseconds?: number; readonly clock?: () => number },
): StepProfile {
  const { engine } = model;
  const stepper = new Stepper(model, optimizer);
  const random = randomStream(model.seed, INPUTS);
  const settings = { optimizer, learningRate: optimizer.learningRate };
  let multiplyAdds = 0;
  const step = (): number => {
    // New ones in every step, as in training: they open other blocks.
    const features = Float32Array.from({ length: rows * model.inputs }, () => random.uniform());
    const classes = Int32Array.from({ length: rows }, () => Math.floor(random.uniform() * model.outputs));
    const start = clock();
    engine.beginStep();
    engine.profile?.enter('rest', '', 'minibatch');
    const x = engine.tensor(features, [rows, model.inputs]);
    const labels = engine.allocate([rows], 'labels');
    labels.integers.set(classes);
    const batch: Batch = { x, labels, rows };
    engine.profile?.leave();
    ({ multiplyAdds } = stepper.run(batch, settings));
    return clock() - start;
  };
  for (let i = 0; i < WARM_UP; i++) step();
  const plain: number[] = [];
  const clocked: { total: number; rows: readonly ProfileRow[] }[] = [];
  const begin = performance.now();
  while (clocked.length < 3 || performance.now() - begin < milliseconds) {
    plain.push(step());
    let total = 0;
    const profile = engine.profiled(() => {
      total = step();
    }, clock);
    clocked.push({ total, rows: profile.rows });
  }
  // The faster half: the others were interrupted, or collected garbage.
  const kept = clocked.sort((a, b) => a.total - b.total).slice(0, (clocked.length + 1) >> 1);
  const activities = meansOf(
    kept.flatMap(({ rows: each }) => each),
    kept.length,
  );
  const total = kept.reduce((sum, each) => sum + each.total, 0) / kept.length;
  const told = activities.reduce((sum, each) => sum + each.milliseconds, 0);
  const other = { part: 'rest', layer: '', name: 'other', calls: 1, milliseconds: total - told, kernels: 0 } as const;
  return { rows, milliseconds: median(plain), multiplyAdds, activities: [...activities, other] };
}

/** Rows of one part, layer and operation, summed and divided by the steps. */
function meansOf(all: readonly ProfileRow[], steps: number): ProfileRow[] {
  const groups = new Map<string, ProfileRow[]>();
  for (const row of all) {
    const key = `${row.part}\n${row.layer}\n${row.name}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const mean = (group: readonly ProfileRow[], of: 'calls' | 'milliseconds' | 'kernels') =>
    group.reduce((sum, row) => sum + row[of], 0) / steps;
  return [...groups.values()].map((group) => ({
    ...group[0],
    calls: mean(group, 'calls'),
    milliseconds: mean(group, 'milliseconds'),
    kernels: mean(group, 'kernels'),
  }));
}
