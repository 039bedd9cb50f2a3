/** Blocks behind gates, and blocks among zeros. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp } from '../define-op.ts';
import { type BlockShape, byRow, compact } from './block-shape.ts';

/** Gates (rows×blocks, dense) times values pairs×size. `weights` multiplies the gates' gradient element by element. */
export const gateBlocks = defineOp<BlockShape & { gradientWeights?: NdArray | undefined }>({
  name: 'gateBlocks',
  causal: () => true,
  showsThrough: true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [rows, pairs], output: pairs }),
  forward(engine, [gates, values], shape) {
    return { output: gateValues(engine, gates, values, shape) };
  },
  pullback(engine, { inputs: [gates, values], attributes: shape, needs }, dy) {
    const { mask, size, gradientWeights } = shape;
    const dGates = needs[0] ? engine.allocate(gates.shape, 'gate gradients') : null;
    if (dGates) {
      const pointers = [values.pointer, dy.pointer, dGates.pointer, ...byRow(mask)] as const;
      engine.backend.run('blockGateGradient', ...pointers, mask.pairs, mask.rows, mask.blocks, size);
      if (gradientWeights) {
        const { pointer, size: elements } = dGates;
        engine.backend.run('multiply', pointer, gradientWeights.pointer, pointer, elements);
      }
    }
    return [dGates, needs[1] ? gateValues(engine, gates, dy, shape) : null];
  },
});

/** Values pairs×size → rows×(blocks·size), zeros where closed. */
export const scatterBlocks = defineOp<BlockShape>({
  name: 'scatterBlocks',
  causal: () => true,
  showsThrough: true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [pairs], output: rows }),
  forward(engine, [values], { mask, size }) {
    const output = engine.allocate([mask.rows, mask.blocks * size], 'scattered blocks');
    const pointers = [values.pointer, output.pointer, ...byRow(mask)] as const;
    engine.backend.run('scatterBlocks', ...pointers, mask.pairs, mask.rows, mask.blocks, size);
    return { output };
  },
  pullback(engine, { attributes: shape }, dy) {
    const { mask, size } = shape;
    const output = compact(engine, shape, 'gathered blocks');
    const masks = [mask.pairRow, mask.pairBlock] as const;
    engine.backend.run('gatherBlocks', dy.pointer, output.pointer, ...masks, mask.pairs, mask.blocks, size);
    return [output];
  },
});

function gateValues(engine: Engine, gates: NdArray, values: NdArray, shape: BlockShape): NdArray {
  const { mask, size } = shape;
  const output = compact(engine, shape, 'gated block values');
  const pointers = [gates.pointer, values.pointer, output.pointer, mask.pairRow, mask.pairBlock] as const;
  engine.backend.run('gateBlocks', ...pointers, mask.pairs, mask.blocks, size);
  return output;
}
