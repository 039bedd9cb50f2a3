import type { Crossovers, Engine } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import type { TrainFlags } from './train-flags.ts';

/** Flags that choose the engine, and what was measured of it for `compute: auto`. */
export type EngineFlags = Pick<TrainFlags, 'simd' | 'blas' | 'threads'> & { readonly crossovers?: Crossovers };

/** Makes an engine, uses it, and closes it, also after an error. @returns what `use` gave @throws RangeError or BlasError for an engine that there is not */
export async function withEngine<T>(
  { simd, blas, threads, crossovers }: EngineFlags,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine({
    simd,
    blas,
    ...(threads !== undefined && { threads }),
    ...(crossovers && { crossovers }),
  });
  try {
    return await use(engine);
  } finally {
    engine.close();
  }
}
