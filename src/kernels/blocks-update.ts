/**
 * Weight gradients of products with open blocks that go into the rule of an optimizer (optimizers.ts) and nowhere else: no gradient in
 * memory, and blocks without an open pair are not touched. Arguments and items as those of the gradients, in blocks-from-dense.ts and
 * blocks-to-dense.ts; `first` and `second` are what the optimizer keeps (0 for none), `rule` its eight numbers.
 */
import { slabHeight } from './blocks-from-dense.ts';
import { blockMultiplyAdds, productGrain } from './blocks-mask.ts';
import { kernel } from './kernel.ts';
import { RULE_NUMBERS, stepRule } from './optimizers.ts';

/** Elements of a gradient that a thread has room for. */
const MOST_GRADIENT = 98_304;

/** Does a part of a gradient with rows of so many elements fit the scratch memory of a thread? */
export const fitsGradient = (width: number): boolean => slabHeight(width) * width <= MOST_GRADIENT;

const slabs = (blocks: number, height: number, width: number): number =>
  width === 0 ? 0 : blocks * Math.ceil(height / slabHeight(width));

/** Weights that cost about as much to update as so many multiply-adds. */
const PER_WEIGHT = 8;

/** Of x[rows of k]ᵀ · dValues[pairs of k], for W[blocks][inputs][size]. */
export const denseToBlocksUpdate = kernel({
  parameters: [
    'x*',
    'dValues*',
    'weights*',
    'first*',
    'second*',
    'rule*',
    'blockStart#',
    'pairRow#',
    'pairs',
    'blocks',
    'inputs',
    'size',
  ],
  items: (_x, _dv, _w, _first, _second, _rule, _start, _row, _pairs, blocks, inputs, size) =>
    slabs(blocks, inputs, size),
  grain: (_x, _dv, _w, _first, _second, _rule, _start, _row, pairs, blocks, inputs, size) =>
    productGrain(
      slabs(blocks, inputs, size),
      blockMultiplyAdds(pairs + PER_WEIGHT * Math.min(pairs, blocks), inputs, size),
    ),
  define(memory, x, dValues, weights, first, second, rule, blockStart, pairRow, _pairs, blocks, inputs, size) {
    const numbers = memory.slice(rule, rule + RULE_NUMBERS);
    for (let k = 0; k < blocks; k++) {
      const [start, stop] = [memory[blockStart + k], memory[blockStart + k + 1]];
      if (start === stop) continue;
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < size; j++) {
          let sum = 0;
          for (let p = start; p < stop; p++)
            sum += memory[x + memory[pairRow + p] * inputs + i] * memory[dValues + p * size + j];
          const at = (k * inputs + i) * size + j;
          stepRule(memory, numbers, weights + at, sum, first + at, second + at);
        }
    }
  },
});

/** Of values[pairs of k]ᵀ · dy[rows of k], for W[blocks·size][outputs]. */
export const blocksToDenseUpdate = kernel({
  parameters: [
    'values*',
    'dy*',
    'weights*',
    'first*',
    'second*',
    'rule*',
    'blockStart#',
    'pairRow#',
    'pairs',
    'blocks',
    'size',
    'outputs',
  ],
  items: (_v, _dy, _w, _first, _second, _rule, _start, _row, _pairs, blocks, size, outputs) =>
    slabs(blocks, size, outputs),
  grain: (_v, _dy, _w, _first, _second, _rule, _start, _row, pairs, blocks, size, outputs) =>
    productGrain(
      slabs(blocks, size, outputs),
      blockMultiplyAdds(pairs + PER_WEIGHT * Math.min(pairs, blocks), outputs, size),
    ),
  define(memory, values, dy, weights, first, second, rule, blockStart, pairRow, _pairs, blocks, size, outputs) {
    const numbers = memory.slice(rule, rule + RULE_NUMBERS);
    for (let k = 0; k < blocks; k++) {
      const [start, stop] = [memory[blockStart + k], memory[blockStart + k + 1]];
      if (start === stop) continue;
      for (let j = 0; j < size; j++)
        for (let c = 0; c < outputs; c++) {
          let sum = 0;
          for (let p = start; p < stop; p++)
            sum += memory[values + p * size + j] * memory[dy + memory[pairRow + p] * outputs + c];
          const at = (k * size + j) * outputs + c;
          stepRule(memory, numbers, weights + at, sum, first + at, second + at);
        }
    }
  },
});
