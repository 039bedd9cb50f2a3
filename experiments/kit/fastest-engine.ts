import { alternateAwaited, createModel, type Dataset, type LayerSpec, median, train } from '../../src/index.ts';
import { createEngine, processorTime } from '../../src/platform/node/index.ts';
import type { StepOptions } from './compare-times.ts';

const ROUNDS = 8;

/**
 * The `blas` of an engine of one thread that takes a training step of a net in the least time of the processor, the median of 8 that take turns: small products and convolutions are often faster without BLAS.
 * @param data at least 9 minibatches
 */
export async function fastestBlas(
  net: { readonly inputs: number; readonly seed: number; readonly layers: readonly LayerSpec[] },
  data: Dataset,
  { batch, optimizer, signal }: StepOptions,
): Promise<'off' | 'auto'> {
  const choices = ['off', 'auto'] as const;
  const engines = await Promise.all(choices.map((blas) => createEngine({ threads: 1, blas })));
  try {
    if (engines[0].name === engines[1].name) return 'off';
    const split = { train: data, valid: data, test: data };
    const runs = engines.map((engine) =>
      train(createModel(engine, net), split, { epochs: 1, batch, optimizer, signal }),
    );
    const times = await alternateAwaited(
      runs.map((steps) => () => steps.next()),
      { rounds: ROUNDS, clock: processorTime },
    );
    for (const steps of runs) await steps.return();
    const [off, auto] = times.map(median);
    return auto < off ? 'auto' : 'off';
  } finally {
    for (const engine of engines) engine.close();
  }
}
