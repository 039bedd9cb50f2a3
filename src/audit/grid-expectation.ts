import type { Neuron } from '../neurons/contract.ts';
import type { RandomStream } from '../random/stream.ts';
import { type Grid, newGrid } from './grid.ts';
import { type Broken, Layer } from './layer.ts';
import type { Place } from './places.ts';

/** Sums over the points of a grid; arrays have one number an active unit. */
export interface Expectation {
  readonly mean: Float64Array;
  readonly drawn: Float64Array;
  readonly typical: Float64Array;
  readonly largest: Float64Array;
  /** Largest loss less the least one, of what was fired. */
  readonly range: number;
  /** The largest loss or cotangent, whichever the neuron reads. */
  readonly magnitude: number;
  /** E[total]. */
  readonly total: number;
  readonly broken?: Broken;
}

export function gridAt(neuron: Neuron, { active, logits, units }: Place, random?: RandomStream): Grid {
  const step = neuron.group ?? 1;
  const places = Array.from({ length: Math.ceil(active.length / step) }, (_, i) => ({ unit: active[i * step], units }));
  return newGrid(
    neuron,
    active.map((unit) => logits[unit]),
    { places, ...(random && { finer: { random: () => random.uniform() } }) },
  );
}

export function expectationAt(neuron: Neuron, place: Place, grid: Grid, random: RandomStream): Expectation {
  const [mean, drawn, typical, largest] = Array.from({ length: 4 }, () => new Float64Array(place.active.length));
  const layer = new Layer(neuron, place, random);
  let [weights, drawnWeights, total] = [0, 0, 0];
  for (let first = 0; first < grid.points; first += layer.slots) {
    const count = Math.min(layer.slots, grid.points - first);
    const broken = layer.run(count, { grid, first }, (slot, gradients, weight, rowTotal) => {
      const other = grid.drawn(first + slot);
      weights += weight;
      drawnWeights += other;
      total += weight * rowTotal;
      gradients.forEach((g, i) => {
        mean[i] += weight * g;
        drawn[i] += other * g;
        typical[i] += weight * Math.abs(g);
        largest[i] = Math.max(largest[i], Math.abs(g));
      });
    });
    if (broken !== undefined) return { mean, drawn, typical, largest, range: 0, magnitude: 0, total, broken };
  }
  const over = (sums: Float64Array, by: number): Float64Array => sums.map((sum) => sum / by);
  return {
    mean: over(mean, weights),
    drawn: over(drawn, drawnWeights),
    typical: over(typical, weights),
    largest,
    range: layer.range,
    magnitude: layer.magnitude,
    total: total / weights,
  };
}
