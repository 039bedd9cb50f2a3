import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, like } from '../define-op.ts';

/** Gates (shape [blocks]) times values (shape [blocks·size]): block k of every row by its gate. */
export const gate = defineOp<{ readonly size: number }>({
  name: 'gate',
  causal: () => true,
  showsThrough: true,
  forward(engine, [gates, values], { size }) {
    if (gates.rows !== values.rows || gates.columns * size !== values.columns)
      throw new RangeError(
        `gate: ${gates.rows}×${gates.columns} gates of blocks of ${size} do not fit values of ${values.rows}×${values.columns}.`,
      );
    return { output: gateProduct(engine, gates, values, size) };
  },
  pullback(engine, { inputs: [gates, values], attributes: { size }, needs }, dy) {
    const pointers = [values.pointer, dy.pointer] as const;
    const dGates = needs[0] ? like(engine, gates, 'gate gradients') : null;
    if (dGates) engine.backend.run('blockDot', ...pointers, dGates.pointer, gates.rows, gates.columns, size);
    return [dGates, needs[1] ? gateProduct(engine, gates, dy, size) : null];
  },
  lower: (to, [gates, values], { attributes: { size } }) => to.gate(gates, values, size),
});

/** gates (rows×blocks) times blocks of values (rows×(blocks·size)) */
function gateProduct(engine: Engine, gates: NdArray, values: NdArray, size: number): NdArray {
  const output = like(engine, values, 'gated values');
  const pointers = [gates.pointer, values.pointer, output.pointer] as const;
  engine.backend.run('gateMultiply', ...pointers, gates.rows, gates.columns, size);
  return output;
}
