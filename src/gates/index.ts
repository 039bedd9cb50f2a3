/** Gate policies and penalties. Adding a penalty: one file beside this one, and one line here. */
import { suggest } from '../math/text.ts';
import { batchRate } from './batch-rate.ts';
import { exampleRate } from './example-rate.ts';
import { expectedFlops } from './expected-flops.ts';
import { expectedL0 } from './expected-l0.ts';
import { importance } from './importance.ts';
import { kl } from './kl.ts';
import { klOpening } from './kl-opening.ts';
import { l1 } from './l1.ts';
import { load } from './load.ts';
import type { SparsityPenalty } from './penalty.ts';
import { switchBalance } from './switch.ts';
import { variance } from './variance.ts';

export type { PenaltyContext, SparsityPenalty } from './penalty.ts';

/** Every shipped penalty on gates by name. */
export const penalties = {
  kl,
  'kl-opening': klOpening,
  l1,
  'batch-rate': batchRate,
  'example-rate': exampleRate,
  variance,
  'expected-l0': expectedL0,
  'expected-flops': expectedFlops,
  importance,
  load,
  switch: switchBalance,
} satisfies Record<string, SparsityPenalty>;

export type PenaltyName = keyof typeof penalties;

/** One or more penalties: `'kl'`, `'kl=0.5'` (with λ), `'batch-rate+example-rate=2'`, or an object. */
export type SparsitySpec = PenaltyName | (string & {}) | Readonly<Partial<Record<PenaltyName, number>>>;

export interface WeightedPenalty {
  readonly penalty: SparsityPenalty;
  /** λ at the start. */
  readonly weight: number;
}

/**
 * The penalties of a spec with their weights λ, for a layer of `units` units. `'none'` gives none.
 * @throws RangeError for an unknown name or a weight that is not a number ≥ 0
 */
export function resolveSparsity(spec: SparsitySpec, units: number): WeightedPenalty[] {
  if (spec === 'none') return [];
  const entries: [string, string | number | undefined][] =
    typeof spec === 'string'
      ? spec.split('+').map((term) => [term.split('=')[0], term.split('=')[1]])
      : Object.entries(spec);
  return entries.map(([name, given]) => {
    const penalty = (penalties as Record<string, SparsityPenalty>)[name];
    if (!penalty || !Object.hasOwn(penalties, name))
      throw new RangeError(
        `There is no sparsity penalty "${name}". ${suggest(name, [...Object.keys(penalties), 'none'])}`,
      );
    const weight = given === undefined ? penalty.defaultWeight(units) : Number(given);
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new RangeError(`The weight of the penalty "${name}" is "${given}". Expected a number ≥ 0.`);
    return { penalty, weight };
  });
}
