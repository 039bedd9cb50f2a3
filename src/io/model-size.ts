import type { LayerSpec, ModelDescription } from '../nn/model.ts';

/** What layers ask for, counted without building them. */
export interface ModelSize {
  /** Weights and biases, at the least: of layers that cannot be built, none. */
  readonly weights: number;
  /** Is that all of them? Of a kind of layer that is not known here, none are counted. */
  readonly exact: boolean;
  /** Width of the output; undefined where it is not known. */
  readonly outputs: number | undefined;
}

/** Weights of a layer on so many inputs, and its outputs. */
type Count = (layer: never, inputs: number) => readonly [weights: number, outputs: number | undefined];

const NOTHING: readonly [number, undefined] = [0, undefined];

/** Of modules one after another. */
function sum(layers: unknown, inputs: number): readonly [number, number | undefined] {
  if (!Array.isArray(layers)) return NOTHING;
  const { weights, outputs } = sizeOfModel({ inputs, layers });
  return [weights, outputs];
}

const affine = (inputs: number, units: number): number => (inputs + 1) * units;

/** Of modules beside each other, `times` of each. */
function beside(layers: unknown, inputs: number, join: unknown, times = 1): readonly [number, number | undefined] {
  if (!Array.isArray(layers) || layers.length === 0) return NOTHING;
  const each = layers.map((layer) => sum([layer], inputs));
  const weights = times * each.reduce((total, [own]) => total + own, 0);
  const [[, first]] = each;
  const all = times * each.reduce((total, [, outputs]) => total + (outputs ?? Number.NaN), 0);
  return [weights, join === 'concatenate' ? all : first];
}

/** A gater of so many gates. */
function gaterOf(gater: unknown, inputs: number, gates: number): number {
  const widths = [inputs, ...(Array.isArray(gater) ? gater : []), gates];
  return widths.slice(1).reduce((total, width, i) => total + affine(widths[i], width), 0);
}

interface Parts {
  readonly parts: unknown;
  readonly join?: unknown;
  readonly copies?: number;
  readonly gater?: unknown;
}

const counts: Readonly<Record<LayerSpec['layer'], Count>> = {
  conditional({ parts, join, copies = 1, gater = [64] }: Parts, inputs) {
    const [weights, outputs] = beside(parts, inputs, join, copies);
    const gates = copies * (Array.isArray(parts) ? parts.length : 0);
    return [weights + gaterOf(gater, inputs, gates), outputs];
  },
  dense: ({ units }: { units: number }, inputs) => [affine(inputs, units), units],
  gated(
    { units, blocks = units, gater = [64] }: { units: number; blocks?: number; gater?: readonly number[] },
    inputs,
  ) {
    return [affine(inputs, units) + gaterOf(gater, inputs, blocks), units];
  },
  lstm({ units, bidirectional = false }: { units: number; bidirectional?: boolean }, inputs) {
    const directions = bidirectional ? 2 : 1;
    return [directions * (affine(inputs, 4 * units) + 4 * units * units), directions * units];
  },
  parallel: ({ parts, join }: Parts, inputs) => beside(parts, inputs, join),
  sequential: ({ modules }: { modules: unknown }, inputs) => sum(modules, inputs),
  residual: ({ module }: { module: unknown }, inputs) => [sum([module], inputs)[0], inputs],
  signs: (_layer, inputs) => [0, inputs],
  own: () => NOTHING,
  embedding: ({ classes, units }: { classes: number; units: number }, inputs) => [classes * units, inputs * units],
};

/** Counts a model's weights from its layers, which may be of any origin: whatever they hold, this costs nothing. */
export function sizeOfModel({ inputs, layers }: ModelDescription): ModelSize {
  let weights = 0;
  let exact = true;
  let width: number | undefined = inputs;
  for (const layer of layers) {
    const kind = (layer as LayerSpec | null)?.layer;
    const count: Count | undefined = kind !== undefined && Object.hasOwn(counts, kind) ? counts[kind] : undefined;
    const counted: readonly [number, number | undefined] =
      count && width !== undefined ? count(layer as never, width) : NOTHING;
    const [own, outputs] = counted;
    const known: boolean = Number.isFinite(own) && own >= 0 && outputs !== undefined && outputs > 0;
    if (known) weights += own;
    else exact = false;
    width = known ? outputs : undefined;
  }
  return { weights, exact, outputs: width };
}
