import { createModel, resolveOptimizer } from '../src/index.ts';
import { createEngine, processorTime } from '../src/platform/node/index.ts';
import { profileStep, type StepProfile } from '../src/train/profile-step.ts';
import { withOutput } from './network.ts';
import { print, printJson } from './output.ts';
import { ownCode } from './own-code.ts';
import { table } from './table.ts';

/** What `flipgrad bench --step` is told. */
export interface BenchStepFlags {
  /** The file of the network, with its export after #. */
  readonly step: string;
  readonly rows: number;
  readonly inputs: number;
  readonly classes: number;
  readonly optimizer: string;
  readonly engine: Parameters<typeof createEngine>[0];
  readonly json: boolean;
}

/** Where the time of one training step of a network of a file goes, by operation. */
export async function benchStep(flags: BenchStepFlags): Promise<void> {
  const { rows, inputs, classes } = flags;
  const optimizer = resolveOptimizer(flags.optimizer);
  const { neurons, network } = await ownCode({ net: flags.step });
  const given = network?.layers({ inputs, outputs: classes, classes, neuron: 'straight-through' }) ?? [];
  const { layers } = withOutput(given, classes, neurons);
  const engine = await createEngine(flags.engine);
  try {
    const model = createModel(engine, { inputs, layers, neurons });
    // Of one thread: what other programs take does not count. Threads that work beside each other would be added up.
    const clock = engine.threads === 1 ? processorTime : undefined;
    const profile = profileStep(model, optimizer, { rows, ...(clock && { clock }) });
    const { activities, ...whole } = profile;
    if (!flags.json) return print(stepTable(profile, clock ? 'of the processor' : 'of the wall'));
    for (const activity of activities) printJson({ event: 'activity', ...activity });
    printJson({
      event: 'step',
      ...whole,
      clock: clock ? 'processor' : 'wall',
      optimizer: optimizer.name,
      engine: engine.name,
      threads: engine.threads,
    });
  } finally {
    engine.close();
  }
}

function stepTable({ rows, milliseconds, multiplyAdds, activities }: StepProfile, clock: string): string {
  const total = activities.reduce((sum, row) => sum + row.milliseconds, 0);
  const cells = [...activities]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map(({ part, layer, name, calls, milliseconds: own, kernels }) => [
      part,
      layer,
      name,
      calls.toFixed(0),
      own.toFixed(3),
      kernels.toFixed(3),
      `${((100 * own) / total).toFixed(1)}%`,
    ]);
  const inKernels = activities.reduce((sum, row) => sum + row.kernels, 0);
  const sums = ['all', '', '', '', total.toFixed(3), inKernels.toFixed(3), '100%'];
  const sentence = `A step on ${rows} ${rows === 1 ? 'example' : 'examples'} takes ${milliseconds.toFixed(3)} ms ${clock} without the clock (median), ${((1000 * milliseconds) / rows).toFixed(1)} µs an example; ${(multiplyAdds / rows / 1e6).toFixed(3)} M multiply-adds an example forward.`;
  return `${table([['part', 'layer', 'operation', 'calls', 'ms', 'in kernels', 'share'], ...cells, sums])}\n\n${sentence}\n`;
}
