import type { NdArray } from '../backend/nd-array.ts';
import { LEAST_OPEN, type Neuron, type Numbers } from '../neurons/contract.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { FiringSite } from './firing-site.ts';

/** A unit that is held open or closed in a forward pass, whatever its logit says: to see what a gate is for. */
export interface Hold {
  /** The name of the place where it fires, as gate rates and health give it: `gated0.gates`. */
  readonly site: string;
  /** The unit's number there, from 0; of a gated layer that of the gate, hence of the block. */
  readonly unit: number;
  readonly open: boolean;
}

/** Units that are held at one site: open, or closed. */
export type Held = ReadonlyMap<number, boolean>;

/** Far beyond any logit, and its exponential underflows. */
const FAR = 1e9;

/**
 * The same by site.
 * @throws RangeError for an unknown site or unit, or a unit that is held twice
 */
export function heldBySite(
  sites: readonly FiringSite[],
  holds: readonly Hold[],
): ReadonlyMap<FiringSite, Held> | undefined {
  if (holds.length === 0) return undefined;
  const bySite = new Map<FiringSite, Map<number, boolean>>();
  for (const { site: name, unit, open } of holds) {
    const site = sites.find((candidate) => candidate.name === name);
    if (!site)
      throw new RangeError(
        `The model has no site "${name}", of which a unit is to be held. Expected ${sites.map((known) => known.name).join(', ') || 'a model with neurons that fire'}.`,
      );
    if (!Number.isInteger(unit) || unit < 0 || unit >= site.units)
      throw new RangeError(
        `The unit to be held in "${name}" is ${unit}. Expected a whole number from 0 to ${site.units - 1}.`,
      );
    const held = bySite.get(site) ?? new Map<number, boolean>();
    if (held.has(unit)) throw new RangeError(`Unit ${unit} of "${name}" is to be held twice. Expected it once.`);
    bySite.set(site, held.set(unit, open));
  }
  return bySite;
}

/**
 * The inputs with which coupled units fire, changed so that the held units have their held state for the others: by the selection bias if a rule
 * selects units, by the logits in groups.
 */
export function holdInputs(
  held: Held,
  neuron: Neuron,
  { logits, selectionBias }: { logits: Tensor; selectionBias: Numbers | undefined },
): { logits: Tensor; selectionBias: Numbers | undefined } {
  if (neuron.selects) {
    const bias = Float64Array.from(selectionBias ?? new Float64Array(logits.array.columns));
    for (const [unit, open] of held) bias[unit] += open ? FAR : -FAR;
    return { logits, selectionBias: bias };
  }
  if (!neuron.group) return { logits, selectionBias };
  const { tape, plate, array } = logits;
  const shifted = tape.engine.allocate(array.shape, 'held logits');
  const { values } = shifted;
  values.set(logits.values);
  for (const [unit, open] of held)
    for (let i = unit; i < values.length; i += array.columns) values[i] += open ? FAR : -FAR;
  return { logits: tape.input(shifted, plate), selectionBias };
}

/**
 * Closes and opens the held units of h (rows × units) in place. A unit that is forced open emits its neuron's `whenOpen`, at least
 * `LEAST_OPEN` in size. Values that are not finite stay as they are.
 */
export function holdOutputs(held: Held, neuron: Neuron, logits: NdArray, h: NdArray): void {
  const [a, out] = [logits.values, h.values];
  for (const [unit, open] of held)
    for (let i = unit; i < out.length; i += h.columns)
      if (Number.isFinite(out[i])) out[i] = open ? out[i] || neuron.whenOpen(a[i]) || LEAST_OPEN : 0;
}
