import { blockMask } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import { createModel } from '../nn/model.ts';
import { noiseKey } from '../random/stream.ts';
import { Tape } from '../tensor/tape.ts';
import { exampleGates, type GatedShape, gatedWork, medianTimes } from './gated-work.ts';

/** Milliseconds of one gated layer at one density, forward and gradients. */
export interface DensityPoint {
  readonly density: number;
  readonly blocks: number;
  /** Open blocks by BLAS on gathered rows; only on engines with BLAS. */
  readonly gathered?: number;
  /** The dense path at the same moment, so that a busy machine does not bend the comparison. */
  readonly dense: number;
}

export interface CrossoverCurve extends GatedShape {
  readonly points: readonly DensityPoint[];
  /** Density up to which open blocks alone, either way, are faster than all, interpolated; 1 when they always are, 0 when never. */
  readonly crossover: number;
  /** Examples of a block, on average, from which BLAS on gathered rows is faster than the kernels; absent: never, or no BLAS. */
  readonly gatherFrom?: number;
}

/** Shares of open blocks at which crossovers are measured. */
export const DENSITIES: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1];

/** Measures time against density for one shape. */
export function measureCrossover(
  engine: Engine,
  shape: GatedShape,
  { densities = DENSITIES, milliseconds = 150 }: { densities?: readonly number[]; milliseconds?: number } = {},
): CrossoverCurve {
  const dense = gatedWork(engine, shape, 'dense', exampleGates(shape, 0.5));
  const points = densities.map((density) => {
    const gates = exampleGates(shape, density);
    const ways = engine.backend.runByBlas ? (['blocks', 'gathered'] as const) : (['blocks'] as const);
    const work = ways.map((way) => gatedWork(engine, shape, way, gates));
    const [all, blocks, gathered] = medianTimes([dense, ...work], milliseconds);
    return { density, blocks, dense: all, ...(gathered !== undefined && { gathered }) };
  });
  const gatherFrom = gatherFromOf(points, shape.rows);
  return { ...shape, points, crossover: crossoverOf(points), ...(gatherFrom !== undefined && { gatherFrom }) };
}

/** The faster of the two ways for open blocks alone. */
const openAlone = ({ blocks, gathered = blocks }: DensityPoint): number => Math.min(blocks, gathered);

/** Where the line of (open blocks alone)/dense first goes over 1, from below. */
export function crossoverOf(points: readonly DensityPoint[]): number {
  const ratio = (point: DensityPoint) => openAlone(point) / point.dense;
  const over = points.findIndex((point) => ratio(point) > 1);
  if (over < 0) return 1;
  if (over === 0) return 0;
  const [a, b] = [points[over - 1], points[over]];
  return a.density + ((1 - ratio(a)) / (ratio(b) - ratio(a))) * (b.density - a.density);
}

/**
 * Examples of a block at the first density from which on BLAS on gathered rows is the faster way, as far as open blocks alone pay;
 * undefined: never.
 */
export function gatherFromOf(points: readonly DensityPoint[], rows: number): number | undefined {
  const paying = points.filter((point) => openAlone(point) <= point.dense);
  const last = paying.findLastIndex(({ blocks, gathered = blocks }) => gathered >= blocks);
  return paying[last + 1] && paying[last + 1].density * rows;
}

/** Where the time of a gated layer's training step goes, in milliseconds. Parts add up to `measured`. */
export interface Waterfall extends GatedShape {
  readonly density: number;
  /** All blocks computed. */
  readonly dense: number;
  /** density × dense. */
  readonly ideal: number;
  /** The gater network, forward and back. */
  readonly gater: number;
  /** Making the mask. */
  readonly compaction: number;
  /** What evenly spread open blocks cost over the ideal: weights that are read for fewer rows. */
  readonly memory: number;
  /** What uneven blocks and rows cost over evenly spread ones. */
  readonly uneven: number;
  /** Gater and experts together. */
  readonly measured: number;
}

/** Decomposes the time of a gated layer with a gater of one hidden layer. */
export function measureWaterfall(
  engine: Engine,
  shape: GatedShape,
  density: number,
  gaterUnits = 64,
  milliseconds = 300,
): Waterfall {
  const gates = exampleGates(shape, density);
  const [dense, random, even, compaction, gater] = medianTimes(
    [
      gatedWork(engine, shape, 'dense', gates),
      gatedWork(engine, shape, 'blocks', gates),
      gatedWork(engine, shape, 'blocks', exampleGates(shape, density, true)),
      maskWork(engine, shape, gates),
      gaterWork(engine, shape, gaterUnits),
    ],
    milliseconds,
  );
  const ideal = density * dense;
  return {
    ...shape,
    density,
    dense,
    ideal,
    gater,
    compaction,
    memory: even - compaction - ideal,
    uneven: random - even,
    measured: gater + random,
  };
}

function maskWork(engine: Engine, { rows, units, size }: GatedShape, gateValues: Float32Array): () => number {
  return () => {
    engine.beginStep();
    const gates = engine.tensor(gateValues, [rows, units / size]);
    const start = performance.now();
    blockMask(engine, gates);
    return performance.now() - start;
  };
}

function gaterWork(engine: Engine, { rows, inputs, units, size }: GatedShape, hidden: number): () => number {
  const layers = [
    { layer: 'dense', units: hidden, neuron: 'tanh' },
    { layer: 'dense', units: units / size, neuron: 'stochastic-binary' },
  ] as const;
  const model = createModel(engine, { inputs, layers });
  const features = new Float32Array(rows * inputs).fill(0.1);
  const losses = new Float32Array(rows).fill(1);
  return () => {
    engine.beginStep();
    const [rowsOf, lossOf] = [engine.tensor(features, [rows, inputs]), engine.tensor(losses, [rows])];
    const start = performance.now();
    const tape = new Tape(engine);
    tape.watch(model.parameters.map(({ tensor }) => tensor));
    const source = { key: noiseKey(1), step: 0, draw: 0 };
    model.apply({ tape, mode: 'train', source, penalties: [] }, tape.input(rowsOf, tape.plates.examples(rows)));
    for (const { tensor } of model.parameters) tape.descend(tensor, -1e-9);
    tape.backward([], tape.input(lossOf, tape.plates.examples(rows)));
    return performance.now() - start;
  };
}
