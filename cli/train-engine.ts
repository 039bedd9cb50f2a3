import type { Crossovers, Engine } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import type { TrainFlags } from './train-flags.ts';

export type EngineFlags = Pick<TrainFlags, 'simd' | 'blas' | 'threads'> & { readonly crossovers?: Crossovers };

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
