import type { Engine } from '../../backend/engine.ts';
import { columnSums } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, like, shapeText } from '../define-op.ts';

/** a + b */
export const add = defineOp({
  name: 'add',
  showsThrough: true,
  forward(engine, [a, b], _none, { plated: [rows, ownRows] }) {
    const output = like(engine, a, 'a sum');
    if (rows && !ownRows && b.size === a.columns)
      engine.backend.run('addBias', a.pointer, b.pointer, output.pointer, a.rows, a.columns);
    else {
      sameShape('add', a, b);
      engine.backend.run('add', a.pointer, b.pointer, output.pointer, a.size);
    }
    return { output };
  },
  pullback: (engine, { needs, layout: { plated } }, dy) => [
    dy,
    !needs[1] ? null : plated[0] === plated[1] ? dy : columnSums(engine, dy),
  ],
});

/** a ⊙ b */
export const multiply = defineOp({
  name: 'multiply',
  showsThrough: true,
  forward(engine, [a, b]) {
    sameShape('multiply', a, b);
    return { output: elementProduct(engine, a, b) };
  },
  pullback(engine, { inputs, needs }, dy) {
    return [
      needs[0] ? elementProduct(engine, dy, inputs[1]) : null,
      needs[1] ? elementProduct(engine, dy, inputs[0]) : null,
    ];
  },
});

/** factor·x */
export const scale = defineOp<{ readonly factor: number }>({
  name: 'scale',
  showsThrough: true,
  forward: (engine, [x], { factor }) => ({ output: scaled(engine, x, factor) }),
  pullback: (engine, { attributes: { factor } }, dy) => [scaled(engine, dy, factor)],
});

function scaled(engine: Engine, x: NdArray, factor: number): NdArray {
  const output = like(engine, x, 'a scaled tensor');
  engine.backend.run('scale', x.pointer, output.pointer, x.size, factor);
  return output;
}

function elementProduct(engine: Engine, a: NdArray, b: NdArray): NdArray {
  const output = like(engine, a, 'a product');
  engine.backend.run('multiply', a.pointer, b.pointer, output.pointer, a.size);
  return output;
}

function sameShape(name: string, a: NdArray, b: NdArray): void {
  if (a.shape.length !== b.shape.length || a.shape.some((extent, i) => extent !== b.shape[i]))
    throw new RangeError(`${name}: the shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} differ.`);
}
