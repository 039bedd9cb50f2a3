import { add } from '../tensor/ops/arithmetic.ts';
import { positionsOf } from '../tensor/ops/attention.ts';
import { gather } from '../tensor/ops/gathering.ts';
import { checkUnits } from './check.ts';
import { type LayerText, whole } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** x + a learnt row for every place in a sequence. Source: Gehring and others 2017; Vaswani and others 2017, §3.5. */
export interface PositionsSpec extends LayerDescription {
  readonly layer: 'positions';
  /** Points of the longest sequence. */
  readonly points: number;
}

/** Shorthand for a `PositionsSpec`. */
export const positions = (points: number, name?: string): PositionsSpec => ({
  layer: 'positions',
  points,
  ...(name && { name }),
});

export const positionsText: LayerText<PositionsSpec> = {
  words: [
    {
      form: 'POINTS',
      required: true,
      takes: (word) => /^\d/.test(word),
      read: (word) => ({ points: whole(word, 'points') }),
      write: ({ points }) => String(points),
    },
  ],
};

/** Shape [n] → [n]. @throws RangeError for a sequence that is longer */
export const applyPositions: LayerKind<PositionsSpec> = (scope, { points }, { dense: x }) => {
  scope.keep('checked', () => {
    checkUnits(scope.name, points, 'points');
    return true;
  });
  const table = scope.parameter('table', [points, ...x.shape], { axes: ['inputs', 'units'], stream: scope.stream });
  const longest = x.plate ? scope.pass.tape.plates.longestSequence(x.plate) : 0;
  if (longest > points)
    throw new RangeError(
      `${scope.name}: a sequence has ${longest} points. Expected at most ${points}, for which there are positions.`,
    );
  return add(x, gather(table, positionsOf(x)));
};
