import type { Progress, TrainingState } from '../train/state.ts';

type Arrays = ReadonlyMap<string, Float32Array | Float64Array>;

/** The parts of a state, under one name each. */
const PARTS = ['model', 'slots', 'best'] as const;

/** The arrays of a state in one map, as a checkpoint holds them: `model/dense0.weights`, `slots/dense0.weights.0`, `best/dense0.weights`. No copies. */
export function arraysOf(state: TrainingState<Progress>): Arrays {
  return new Map(
    PARTS.flatMap((part) => [...(state[part] ?? [])].map(([name, values]) => [`${part}/${name}`, values])),
  );
}

/**
 * The state that `arraysOf` took apart. No copies.
 * @param progress says whether there is a best epoch; nothing is checked here
 */
export function stateOf<P extends Progress>(arrays: Arrays, progress: P): TrainingState<P> {
  const [model, slots, best] = PARTS.map(
    (part) =>
      new Map(
        [...arrays].flatMap(([name, values]) =>
          name.startsWith(`${part}/`) ? [[name.slice(part.length + 1), values]] : [],
        ),
      ),
  );
  return { progress, model, slots, ...(progress.best !== undefined && { best }) };
}
