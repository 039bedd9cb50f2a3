import { defineOp, like } from '../define-op.ts';
import type { Tensor } from '../tensor.ts';
import { type DrawKey, drawUniforms } from '../uniforms.ts';
import { rowsOfNoise } from './fire.ts';

interface Attributes {
  /** The probability that a number becomes 0. */
  readonly drop: number;
  readonly source: DrawKey;
  /** See `FireAttributes.rowOf`. */
  readonly rowOf: number;
}

const dropoutOp = defineOp<Attributes>({
  name: 'dropout',
  causal: () => true,
  showsThrough: true,
  forward(engine, [x], { drop, source, rowOf }) {
    const output = like(engine, x, 'a layer with dropout');
    const noise = drawUniforms(engine, [x.rows, x.columns], source, rowOf);
    engine.backend.run('dropElements', x.pointer, noise.pointer, output.pointer, x.size, drop);
    return { output, saved: [noise] };
  },
  pullback(engine, { attributes: { drop }, saved: [noise] }, dy) {
    const output = like(engine, dy, 'the gradient of a layer with dropout');
    engine.backend.run('dropElements', dy.pointer, noise.pointer, output.pointer, dy.size, drop);
    return [output];
  },
});

/**
 * Every number becomes 0 with the probability `drop`, and is divided by 1 − drop otherwise. A row's numbers are the same wherever gates put it.
 * Source: Hinton, Srivastava, Krizhevsky, Sutskever, Salakhutdinov 2012.
 * @throws RangeError unless 0 ≤ drop < 1
 */
export function dropout(x: Tensor, { drop, source }: { readonly drop: number; readonly source: DrawKey }): Tensor {
  if (!(drop >= 0 && drop < 1))
    throw new RangeError(`dropout: \`drop\` is ${drop}. Expected a probability from 0 up to, not including, 1.`);
  const own = x.dense;
  // All numbers of a row of the plate are drawn as one row.
  const rowOf = rowsOfNoise({ tape: own.tape, plate: own.plate, shape: [own.columns] });
  return dropoutOp(own, { drop, source, rowOf });
}
dropout.definition = dropoutOp.definition;
