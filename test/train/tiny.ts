import type { Engine } from '../../src/backend/engine.ts';
import { type Dataset, makeDataset, type Split } from '../../src/data/dataset.ts';
import { digitsSplit } from '../../src/data/digits.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import type { ResultEvent, TrainEvent } from '../../src/train/events.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';

/** 300 digits to train with, 100 and 100 to check with. */
export const digits: Split = digitsSplit({ seed: 5, train: 300, valid: 100, test: 100 });

/** Points around three corners of a square: a problem that trains in milliseconds. */
export function corners(count: number, change: (features: Float32Array) => void = () => {}): Dataset {
  const features = Float32Array.from({ length: 2 * count }, (_, i) => {
    const [example, axis] = [i >> 1, i & 1];
    return (((example % 3) >> axis) & 1) + 0.3 * Math.sin(7 * i);
  });
  change(features);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  return makeDataset({ name: 'corners', features, scale: 1, labels, width: 2, classes: 3 });
}

export const cornersSplit: Split = { train: corners(90), valid: corners(30), test: corners(33) };

/** A small gated network for the digits. */
export function gatedModel(engine: Engine, options: Omit<GatedSpec, 'layer' | 'units'> = {}, seed = 1): Model {
  const layers = [gated(24, { blocks: 8, gater: [6], activation: 'tanh', rate: 0.3, ...options }), dense(10)];
  return createModel(engine, { inputs: 784, layers, seed });
}

/** All events of a training run. */
export async function eventsOf(model: Model, data: Split, options: TrainOptions): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(model, data, options)) events.push(event);
  return events;
}

export async function resultOf(model: Model, data: Split, options: TrainOptions): Promise<ResultEvent> {
  return (await eventsOf(model, data, options)).at(-1) as ResultEvent;
}
