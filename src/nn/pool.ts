import { checkOneOf } from '../schema/names.ts';
import { POOL_WAYS, pool as pooled } from '../tensor/ops/pooling.ts';
import { max, mean } from '../tensor/ops/reductions.ts';
import { extents, type LayerText, oneOfOption, option, type TextWord } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** The largest or the mean of the windows of a picture. */
export interface PoolSpec extends LayerDescription {
  readonly layer: 'pool';
  /** Height and width of a window; `'all'`: one window over the whole picture, which leaves the channels. */
  readonly size: readonly [number, number] | 'all';
  /** Default: the windows' size, so that they lie side by side. */
  readonly stride?: readonly [number, number];
  /** Default `max`. */
  readonly by?: 'max' | 'mean';
}

/** Shorthand for a `PoolSpec`. */
export function pool(
  size: number | readonly [number, number] | 'all',
  options: Omit<PoolSpec, 'layer' | 'size'> = {},
): PoolSpec {
  return { layer: 'pool', size: typeof size === 'number' ? [size, size] : size, ...options };
}

const size: TextWord<PoolSpec> = {
  form: 'HEIGHTxWIDTH|all',
  required: true,
  takes: (word) => word === 'all' || /^\d/.test(word),
  read: (word) => ({ size: word === 'all' ? 'all' : (extents(2).read(word) as [number, number]) }),
  write: ({ size: own }) => (own === 'all' ? own : own.join('x')),
};

export const poolText: LayerText<PoolSpec> = {
  words: [
    size,
    oneOfOption('by', POOL_WAYS),
    option(
      'stride',
      'ROWSxCOLUMNS',
      extents(2) as { read(text: string): [number, number]; write(value: readonly number[]): string },
    ),
  ],
};

/** Shape [height, width, channels] → [rows, columns, channels], or [channels]. @throws RangeError for what is no picture */
export const applyPool: LayerKind<PoolSpec> = (scope, { size: own, by = 'max', stride }, { dense: x }) => {
  if (x.shape.length < 3)
    throw new RangeError(
      `${scope.name}: a row has the shape [${x.shape.join(', ')}]. Expected [height, width, channels]: \`reshape 28x28x1\` before it makes pictures of rows.`,
    );
  scope.keep('checked', () => {
    checkOneOf('by', by, POOL_WAYS, scope.name);
    if (own === 'all' && stride)
      throw new RangeError(`${scope.name}: \`stride\` says nothing where all is pooled. Expected none.`);
    return true;
  });
  if (own === 'all') return by === 'max' ? max(x, [-3, -2]) : mean(x, [-3, -2]);
  return pooled(x, { size: own, by, ...(stride && { stride }) });
};
