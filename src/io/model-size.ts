import { windows } from '../math/windows.ts';
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

type Shape = readonly number[];

/** Weights of a layer on rows of a shape, and the shape that it gives. */
type Count = (layer: never, shape: Shape) => readonly [weights: number, outputs: Shape | undefined];

const NOTHING: readonly [number, undefined] = [0, undefined];
const elements = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

/** Of modules one after another. */
function sum(layers: unknown, shape: Shape): readonly [number, Shape | undefined] {
  if (!Array.isArray(layers)) return NOTHING;
  const { weights, outputs } = sizeOf(layers, shape);
  return [weights, outputs];
}

const affine = (inputs: number, units: number): number => (inputs + 1) * units;

/** Of modules beside each other, `times` of each. */
function beside(layers: unknown, shape: Shape, join: unknown, times = 1): readonly [number, Shape | undefined] {
  if (!Array.isArray(layers) || layers.length === 0) return NOTHING;
  const each = layers.map((layer) => sum([layer], shape));
  const weights = times * each.reduce((total, [own]) => total + own, 0);
  const [[, first]] = each;
  const last = times * each.reduce((total, [, outputs]) => total + (outputs?.at(-1) ?? Number.NaN), 0);
  return [weights, join === 'concatenate' ? first?.with(-1, last) : first];
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

interface Windowed {
  readonly size: unknown;
  readonly stride?: unknown;
  readonly padding?: unknown;
}

/** A picture after a convolution, the channels as they are. */
function padded(shape: Shape, { size, stride = [1, 1], padding = 'same' }: Windowed): Shape | undefined {
  if (shape.length !== 3 || !Array.isArray(size) || !Array.isArray(stride)) return undefined;
  const zeros = (extent: number) => (padding === 'same' ? (extent - 1) / 2 : 0);
  return [...[0, 1].map((axis) => windows(shape[axis], size[axis], stride[axis], zeros(size[axis]))), shape[2]];
}

/** A picture after windows. */
function windowed(shape: Shape, size: unknown, stride: unknown): Shape | undefined {
  if (shape.length !== 3) return undefined;
  if (size === 'all') return [shape[2]];
  const [sizes, steps] = [size, stride ?? size];
  if (!Array.isArray(sizes) || !Array.isArray(steps)) return undefined;
  return [...[0, 1].map((axis) => windows(shape[axis], sizes[axis], steps[axis])), shape[2]];
}

const counts: Readonly<Record<LayerSpec['layer'], Count>> = {
  attention: (_layer, shape) => [
    affine(elements(shape), 3 * elements(shape)) + affine(elements(shape), elements(shape)),
    shape,
  ],
  conditional({ parts, join, copies = 1, gater = [64] }: Parts, shape) {
    const [weights, outputs] = beside(parts, shape, join, copies);
    const gates = copies * (Array.isArray(parts) ? parts.length : 0);
    return [weights + gaterOf(gater, elements(shape), gates), outputs];
  },
  convolution({ channels, ...given }: Windowed & { channels: number }, shape) {
    const outputs = padded(shape, given);
    const size = Array.isArray(given.size) ? elements(given.size) : Number.NaN;
    return [affine(size * (shape[2] ?? Number.NaN), channels), outputs && [outputs[0], outputs[1], channels]];
  },
  dense: ({ units }: { units: number }, shape) => [affine(elements(shape), units), [units]],
  depthwise(given: Windowed, shape) {
    const size = Array.isArray(given.size) ? elements(given.size) : Number.NaN;
    return [affine(size, shape[2] ?? Number.NaN), padded(shape, given)];
  },
  dropout: (_layer, shape) => [0, shape],
  embedding: ({ classes, units }: { classes: number; units: number }, shape) => [
    classes * units,
    [elements(shape) * units],
  ],
  gated({ units, blocks = units, gater = [64] }: { units: number; blocks?: number; gater?: unknown }, shape) {
    const inputs = elements(shape);
    return [affine(inputs, units) + gaterOf(gater, inputs, blocks), [units]];
  },
  lstm({ units, bidirectional = false }: { units: number; bidirectional?: boolean }, shape) {
    const directions = bidirectional ? 2 : 1;
    return [directions * (affine(elements(shape), 4 * units) + 4 * units * units), [directions * units]];
  },
  norm: (_layer, shape) => [2 * (shape.at(-1) ?? 0), shape],
  own: () => NOTHING,
  parallel: ({ parts, join }: Parts, shape) => beside(parts, shape, join),
  pool: ({ size, stride }: { size: unknown; stride?: unknown }, shape) => [0, windowed(shape, size, stride)],
  positions: ({ points }: { points: number }, shape) => [points * elements(shape), shape],
  reshape: ({ shape }: { shape: unknown }) => [0, Array.isArray(shape) ? shape : undefined],
  residual: ({ module }: { module: unknown }, shape) => [sum([module], shape)[0], shape],
  sequential: ({ modules }: { modules: unknown }, shape) => sum(modules, shape),
  signs: (_layer, shape) => [0, shape],
};

/** Counts a model's weights from its layers, which may be of any origin: whatever they hold, this costs nothing. */
export function sizeOfModel({ inputs, layers }: ModelDescription): ModelSize {
  const { weights, exact, outputs } = sizeOf(layers, [inputs]);
  return { weights, exact, outputs: outputs && elements(outputs) };
}

function sizeOf(layers: readonly unknown[], inputs: Shape) {
  let weights = 0;
  let exact = true;
  let shape: Shape | undefined = inputs;
  for (const layer of layers) {
    const kind = (layer as LayerSpec | null)?.layer;
    const count: Count | undefined = kind !== undefined && Object.hasOwn(counts, kind) ? counts[kind] : undefined;
    const counted: readonly [number, Shape | undefined] = count && shape ? count(layer as never, shape) : NOTHING;
    const [own, outputs] = counted;
    const known: boolean = Number.isFinite(own) && own >= 0 && outputs !== undefined && elements(outputs) > 0;
    if (known) weights += own;
    else exact = false;
    shape = known ? outputs : undefined;
  }
  return { weights, exact, outputs: shape };
}
