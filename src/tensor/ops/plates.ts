/** Operations that move values between plates: from examples to their draws, points and gathered rows, and back. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, like, shapeText } from '../define-op.ts';
import type { Plate, Plates } from '../plate.ts';
import type { Tensor } from '../tensor.ts';

interface Move {
  readonly to: Plate;
  readonly plates: Plates;
}

/** The rows of x once for every draw in which `to` has more of them. The tape uses it where rows of different depths meet. */
export const repeatDraws = defineOp<Move>({
  name: 'repeatDraws',
  moves: true,
  showsThrough: true,
  causal: () => true,
  plates: ([{ plate }], { to }) => ({ inputs: [plate], output: to }),
  forward(engine, [x], { to }) {
    const output = engine.allocate([to.rows, ...x.shape.slice(1)], 'repeated rows');
    // Copied as they are, whole numbers too.
    const [from, out] = [x.values, output.values];
    for (let at = 0; at < out.length; at += from.length) out.set(from, at);
    return { output };
  },
  pullback(engine, { tensors: [{ plate }], inputs: [x], result }, dy, { weighed }) {
    const below = plate as Plate;
    const weighted = weighed(dy, result.plate as Plate, below.depth);
    const output = like(engine, x, 'the gradient of repeated rows');
    engine.backend.run('scale', weighted.pointer, output.pointer, x.size, 1);
    for (let at = x.size; at < dy.size; at += x.size)
      engine.backend.run('add', output.pointer, weighted.pointer + 4 * at, output.pointer, x.size);
    return [output];
  },
});

/** For every row of a finer plate, the row of x that it belongs to. The tape uses it where rows of different kinds meet. */
export const gatherPlate = defineOp<Move>({
  name: 'gatherPlate',
  moves: true,
  showsThrough: true,
  causal: () => true,
  plates: ([{ plate }], { to }) => ({ inputs: [plate], output: to }),
  forward(engine, [x], { to, plates }) {
    const output = engine.allocate([to.rows, ...x.shape.slice(1)], 'gathered rows');
    const owners = plates.ownersOnHeap(to, plates.over(to) as Plate);
    engine.backend.run('gatherRows', x.pointer, owners, output.pointer, to.rows, x.columns, x.columns);
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { to, plates } }, dy) {
    const output = like(engine, x, 'the gradient of gathered rows');
    addByOwner(engine, dy, output, plates.ownersOnHeap(to, plates.over(to) as Plate));
    return [output];
  },
});

/**
 * The sum over the rows that belong together: of the points of a sequence, one row an example; of examples, one row for the program. Shape
 * [...] stays. @throws RangeError for a tensor without rows
 */
export const sumRows = (x: Tensor): Tensor => reduceRows(x, 'sumRows', false);

/** The mean over the rows that belong together; 0 where there is none. See `sumRows`. */
export const meanRows = (x: Tensor): Tensor => reduceRows(x, 'meanRows', true);

function reduceRows(x: Tensor, name: string, mean: boolean): Tensor {
  const { plates } = x.tape;
  const to = x.plate && plates.over(x.plate);
  if (!x.plate || !to)
    throw new RangeError(
      `${name}: ${plates.describe(x.plate)} were given. Expected rows that belong together: points of sequences, examples or gathered rows.`,
    );
  return rowSum(x, { from: x.plate, to, plates, mean });
}

const rowSum = defineOp<Move & { readonly from: Plate; readonly mean: boolean }>({
  name: 'sumRows',
  showsThrough: true,
  plates: (_inputs, { from, to }) => ({ inputs: [from], output: to }),
  terms({ attributes: { from, to, plates, mean } }) {
    const owners = plates.ownerRows(from, to);
    const counts = new Float64Array(to.rows);
    for (const owner of owners) counts[owner]++;
    return Float64Array.from(owners, (owner) => (mean ? 1 / counts[owner] : 1));
  },
  forward(engine, [x], { from, to, plates, mean }) {
    const output = engine.allocate([to.rows, ...x.shape.slice(1)], 'sums over rows');
    addByOwner(engine, x, output, plates.ownersOnHeap(from, to));
    if (mean) divideRows(output, plates.ownerRows(from, to));
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { from, to, plates, mean } }, dy) {
    const output = like(engine, x, 'the gradient of sums over rows');
    const owners = plates.ownersOnHeap(from, to);
    let cotangent = dy;
    if (mean) {
      cotangent = like(engine, dy, 'a divided cotangent');
      cotangent.values.set(dy.values);
      divideRows(cotangent, plates.ownerRows(from, to));
    }
    engine.backend.run('gatherRows', cotangent.pointer, owners, output.pointer, x.rows, x.columns, x.columns);
    return [output];
  },
});

/** Divides every row by the number of rows that belong to it. */
function divideRows(x: NdArray, owners: ArrayLike<number>): void {
  const counts = new Float64Array(x.rows);
  for (let i = 0; i < owners.length; i++) counts[owners[i]]++;
  const { values, columns } = x;
  for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)] || 1;
}

/** out[owner of row] = Σ row, in order. @param owners whole numbers on the heap */
function addByOwner({ backend }: Engine, x: NdArray, output: NdArray, owners: number): void {
  backend.run('fill', output.pointer, output.size, 0);
  backend.run('scatterAddRows', x.pointer, owners, output.pointer, x.rows, x.columns);
}

/** The first extent of an array that all rows share as the examples of this step. @throws RangeError where there are others already */
export const asExamples = (x: Tensor): Tensor => placeRows(x, 'asExamples', x.tape.plates.examples(x.shape[0] ?? 0));

/** An array that all rows share as the one row of the whole program. */
export const asProgram = (x: Tensor): Tensor => placeRows(x, 'asProgram', x.tape.plates.whole);

function placeRows(x: Tensor, name: string, plate: Plate): Tensor {
  if (x.plate || (name === 'asExamples' && x.shape.length === 0))
    throw new RangeError(
      `${name}: a tensor of the shape ${shapeText(x.shape)} for ${x.tape.plates.describe(x.plate)} was given. Expected an array that all rows share, with an extent for the examples.`,
    );
  return placed(x, { plate });
}

const placed = defineOp<{ readonly plate: Plate }>({
  name: 'asRows',
  moves: true,
  showsThrough: true,
  causal: () => true,
  plates: (_inputs, { plate }) => ({ inputs: [undefined], output: plate }),
  forward: (_engine, [x], { plate }) => ({
    output: x.reshaped(plate.structure.kind === 'program' ? [1, ...x.shape] : x.shape),
  }),
  pullback: (_engine, { inputs: [x] }, dy) => [dy.reshaped(x.shape)],
});
