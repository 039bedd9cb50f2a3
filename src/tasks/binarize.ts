import type { NdArray } from '../backend/nd-array.ts';
import type { Tape } from '../tensor/tape.ts';
import type { DrawKey } from '../tensor/uniforms.ts';

/** The number of the binarisation's random stream: above those of all layers. */
const STREAM = 65535;

/**
 * Bits with the probabilities that a minibatch's features are: 1[u < x], rows×width. The same source gives the same bits, another
 * step others ("dynamic binarisation"). Source: Burda, Grosse, Salakhutdinov 2016, §5, after Salakhutdinov and Murray 2008.
 */
export function binarize({ engine }: Tape, x: NdArray, { key, step, draw }: Omit<DrawKey, 'layer'>): NdArray {
  const { rows, columns, size, shape } = x;
  const noise = engine.allocate(shape, 'the noise of a binarisation');
  engine.backend.run('uniforms', noise.pointer, rows, columns, key[0], key[1], step, STREAM * 65536 + draw);
  const bits = engine.allocate(shape, 'a binarised minibatch');
  engine.backend.run('bernoulli', noise.pointer, x.pointer, bits.pointer, size);
  return bits;
}
