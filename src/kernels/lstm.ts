import { sigmoid } from '../math/special.ts';
import { kernel } from './kernel.ts';

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gates of Gers, Schmidhuber and Cummins 2000, without
 * peepholes), read forwards or `backwards`. Rows are points in time: sequence s has the rows offsets[s] up to, not including, offsets[s + 1]. A row of
 * `x`, `gates` and `dx` is [input | forget | candidate | output], `units` numbers each; a sequence starts from h = c = 0.
 *
 *     z_t = x_t + h_{t−1}·recurrent       x_t = inputs·W + bias, computed beforehand for all rows at once
 *     i, f, o = σ(z), g = tanh(z)         of their four parts
 *     c_t = f·c_{t−1} + i·g
 *     h_t = o·tanh(c_t)
 *
 * A work item is a sequence. Scratch memory: 16 bytes a unit.
 */

/** The rows of a sequence in the order in which they are read. */
function readingOrder(memory: Float64Array, offsets: number, s: number, backwards: number): number[] {
  const [from, to] = [memory[offsets + s], memory[offsets + s + 1]];
  const rows = Array.from({ length: to - from }, (_, i) => from + i);
  return backwards ? rows.reverse() : rows;
}

/** gates, cells, h, and previous: h of the point read before, or zeros (so that the gradient of `recurrent` is one product). */
export const lstm = kernel({
  parameters: [
    'x*',
    'recurrent*',
    'offsets#',
    'gates*',
    'cells*',
    'h*',
    'previous*',
    'sequences',
    'units',
    'backwards',
  ],
  items: (_x, _recurrent, _offsets, _gates, _cells, _h, _previous, sequences) => sequences,
  grain: () => 1,
  define(memory, x, recurrent, offsets, gates, cells, h, previous, sequences, units, backwards) {
    const wide = 4 * units;
    for (let s = 0; s < sequences; s++)
      readingOrder(memory, offsets, s, backwards).forEach((t, n, order) => {
        for (let u = 0; u < units; u++)
          memory[previous + t * units + u] = n === 0 ? 0 : memory[h + order[n - 1] * units + u];
        for (let column = 0; column < wide; column++) {
          let z = memory[x + t * wide + column];
          for (let k = 0; k < units; k++) z += memory[previous + t * units + k] * memory[recurrent + k * wide + column];
          const candidate = Math.floor(column / units) === 2;
          memory[gates + t * wide + column] = candidate ? Math.tanh(z) : sigmoid(z);
        }
        for (let u = 0; u < units; u++) {
          const [i, f, g, o] = [0, 1, 2, 3].map((part) => memory[gates + t * wide + part * units + u]);
          const before = n === 0 ? 0 : memory[cells + order[n - 1] * units + u];
          const c = f * before + i * g;
          memory[cells + t * units + u] = c;
          memory[h + t * units + u] = o * Math.tanh(c);
        }
      });
  },
});

/** dx = ∂L/∂z for dh = ∂L/∂h: back-propagation through time. */
export const lstmPullback = kernel({
  parameters: ['dh*', 'recurrent*', 'offsets#', 'gates*', 'cells*', 'dx*', 'sequences', 'units', 'backwards'],
  items: (_dh, _recurrent, _offsets, _gates, _cells, _dx, sequences) => sequences,
  grain: () => 1,
  define(memory, dh, recurrent, offsets, gates, cells, dx, sequences, units, backwards) {
    const wide = 4 * units;
    for (let s = 0; s < sequences; s++) {
      const dc = new Float64Array(units);
      // The point read last comes first.
      readingOrder(memory, offsets, s, 1 - backwards).forEach((t, n, order) => {
        for (let u = 0; u < units; u++) {
          let total = memory[dh + t * units + u];
          if (n > 0)
            for (let column = 0; column < wide; column++)
              total += memory[recurrent + u * wide + column] * memory[dx + order[n - 1] * wide + column];
          const [i, f, g, o] = [0, 1, 2, 3].map((part) => memory[gates + t * wide + part * units + u]);
          const y = Math.tanh(memory[cells + t * units + u]);
          const before = n + 1 === order.length ? 0 : memory[cells + order[n + 1] * units + u];
          const d = dc[u] + total * o * (1 - y * y);
          const parts = [d * g * i * (1 - i), d * before * f * (1 - f), d * i * (1 - g * g), total * y * o * (1 - o)];
          parts.forEach((value, part) => {
            memory[dx + t * wide + part * units + u] = value;
          });
          dc[u] = d * f;
        }
      });
    }
  },
});
