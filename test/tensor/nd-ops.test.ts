/** Every operation of flipgrad/tensor: its gradient, its kernels against the reference engine, and its rows against single ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import * as t from '../../src/tensor/index.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { type Call, calls } from './nd-cases.ts';

const table = Object.entries(calls);
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Which arguments have rows of their own (bits), how many, and whether rows are drawn twice. */
interface Placement {
  readonly plated: number;
  readonly rows: number;
  readonly draws: boolean;
}
const placements: fc.Arbitrary<Placement> = fc.record({
  plated: fc.nat(7),
  rows: fc.constantFrom(0, 1, 3, 4),
  draws: fc.boolean(),
});

/** Two draws of every row, the second times 1.25; their losses weigh ¼ and ¾. */
const drawTwice = t.defineOp({
  name: 'drawTwice',
  forward(engine, [x]) {
    const output = engine.allocate([2 * x.rows, ...x.shape.slice(1)], 'draws');
    x.values.forEach((value, i) => {
      output.values[i] = value;
      output.values[i + x.size] = 1.25 * value;
    });
    return {
      output,
      draws: {
        count: 2,
        byRow: false,
        weigh(loss, weights, total) {
          const { rows } = total;
          for (let i = 0; i < 2 * rows; i++) weights.values[i] = i < rows ? 0.25 : 0.75;
          for (let i = 0; i < rows; i++) total.values[i] = 0.25 * loss.values[i] + 0.75 * loss.values[i + rows];
        },
      },
    };
  },
  pullback(engine, { tensors: [x], result }, dy, { weighed }) {
    assert.ok(x.plate && result.plate);
    const weighted = weighed(dy, result.plate, x.plate.depth).values;
    const output = engine.allocate(x.array.shape, 'the gradient of draws');
    output.values.forEach((_, i) => {
      output.values[i] = weighted[i] + 1.25 * weighted[i + x.size];
    });
    return [output];
  },
});

/** The values of every argument with all its rows. */
function valuesOf({ inputs }: Call, { plated, rows }: Placement, seed: number) {
  return inputs.map(({ shape, draw = normal(), below, shared }, i) => {
    const hasRows = !shared && ((plated >> i) & 1) === 1;
    const full = hasRows ? [rows, ...shape] : [...shape];
    const values = drawn(below === undefined ? draw : (random) => random.integer(below), sizeOf(full), seed, i);
    return { hasRows, full, values, whole: below !== undefined };
  });
}
type Values = ReturnType<typeof valuesOf>;

/** An array as nested numbers, which plain arrays of no elements cannot be: those go by their shape. */
const asTensor = (tape: Tape, { full, values, whole }: Values[number]): Tensor =>
  t.reshape(whole ? t.wholeNumbers(tape, values) : tape.constant(values), full);

/** The call on its arguments, of which the floats are given. */
function callOn(call: Call, tape: Tape, values: Values, floats: readonly Tensor[], draws: boolean): Tensor {
  const remaining = [...floats];
  let drew = !draws;
  const inputs = values.map((argument) => {
    const x = argument.whole ? asTensor(tape, argument) : t.reshape(remaining.shift() as Tensor, argument.full);
    if (!argument.hasRows) return x;
    const rows = t.asExamples(x);
    if (argument.whole || drew) return rows;
    drew = true;
    return drawTwice(rows);
  });
  return call.run(...inputs);
}

/** One number a row: the sum of the output's elements with weights, times a number that is drawn twice. */
function drawnLoss(output: Tensor, perRow: Tensor): Tensor {
  const { tape, shape } = output;
  const weights = t.reshape(tape.constant(drawn(normal(), sizeOf(shape), 1, 70)), shape);
  return t.multiply(t.sum(t.multiply(output, weights)), drawTwice(perRow));
}

function checkCall(call: Call, placement: Placement, seed: number): void {
  const values = valuesOf(call, placement, seed);
  const floats = values.filter(({ whole }) => !whole).map((argument) => argument.values);
  if (!placement.draws) {
    t.checkGradient((first, ...rest) => callOn(call, first.tape, values, [first, ...rest], false), floats, TOLERANCES);
    return;
  }
  const scores = drawn(normal(), placement.rows, seed, 71);
  const fn = (perRow: Tensor, ...rest: Tensor[]) =>
    drawnLoss(callOn(call, perRow.tape, values, rest, true), t.asExamples(perRow));
  t.checkGradient(fn, [scores, ...floats], TOLERANCES);
}
/** The derivatives of powers and quotients grow: 1e-5 is too wide a step for an absolute 1e-7. */
const TOLERANCES = { relative: 1e-6, absolute: 1e-6 };

describe('gradients agree with central differences', () => {
  for (const [name, arbitrary] of table)
    test(name, () => {
      fc.assert(fc.property(arbitrary, placements, fc.nat(), checkCall), { numRuns: full ? 60 : 15 });
    });
});

/** What a call gives, and the gradients of its weighted sum. */
function outcome(engine: Engine, call: Call, placement: Placement, seed: number) {
  engine.beginStep();
  const tape = new Tape(engine);
  const values = valuesOf(call, placement, seed);
  const arrays = values.filter(({ whole }) => !whole).map((argument) => engine.tensor(argument.values));
  tape.watch(arrays);
  const floats = arrays.map((array) => tape.parameter(array));
  const output = callOn(call, tape, values, floats, placement.draws);
  const seeds = [{ tensor: t.multiply(output, 0.75), cotangent: 1 }];
  const losses = placement.draws && tape.plates.counts.length > 0 ? t.multiply(t.sum(output), 0.75) : undefined;
  if (!losses) tape.backward(seeds);
  else if (losses.plate) tape.backward([{ tensor: tape.atDraws(losses), cotangent: 1 }], losses);
  return {
    shape: output.shape,
    plate: output.plate?.rows,
    output: [...output.values],
    gradients: arrays.map((array) => [...(tape.gradient(array)?.values ?? [])]),
  };
}

const NEAR = { relative: 8e-6, absolute: 1e-5 };

for (const engine of builds)
  describe(`${engine.name} agrees with the reference engine`, () => {
    for (const [name, arbitrary] of table)
      test(name, () => {
        fc.assert(
          fc.property(arbitrary, placements, fc.nat(), (call, placement, seed) => {
            const [actual, expected] = [engine, reference].map((on) => outcome(on, call, placement, seed));
            assert.deepEqual([actual.shape, actual.plate], [expected.shape, expected.plate]);
            assertClose(actual.output, expected.output, NEAR, `the output of ${name}`);
            expected.gradients.forEach((gradient, i) => {
              assertClose(actual.gradients[i], gradient, NEAR, `gradient ${i} of ${name}`);
            });
          }),
          { numRuns: full ? 60 : 15 },
        );
      });
  });

describe('the rows of a plate have what single rows have', () => {
  for (const [name, arbitrary] of table)
    test(name, () => {
      const cases = fc.tuple(arbitrary, fc.nat(7), fc.constantFrom(1, 2, 4), fc.nat());
      fc.assert(
        fc.property(cases, ([call, plated, rows, seed]) => {
          const placement = { plated, rows, draws: false };
          const all = outcome(reference, call, placement, seed);
          const values = valuesOf(call, placement, seed);
          const count = values.some(({ hasRows }) => hasRows) ? rows : 1;
          assert.equal(all.plate ?? 1, count);
          const single = Array.from({ length: count }, (_, row) => singleRow(call, values, row));
          for (const { shape } of single) assert.deepEqual(all.shape, shape);
          const expected = single.flatMap(({ output }) => output);
          assertClose(all.output, expected, { relative: 1e-12, absolute: 1e-12 }, name);
        }),
        { numRuns: full ? 40 : 10 },
      );
    });
});

/** The call on one row of every argument, without plates. */
function singleRow(call: Call, values: Values, row: number) {
  reference.beginStep();
  const tape = new Tape(reference);
  const own = values.map(({ full, values: elements, hasRows, whole }) => {
    const shape = hasRows ? full.slice(1) : full;
    const size = sizeOf(shape);
    return {
      full: shape,
      values: hasRows ? elements.slice(row * size, (row + 1) * size) : elements,
      hasRows: false,
      whole,
    };
  });
  const floats = own.filter(({ whole }) => !whole).map((argument) => tape.constant(argument.values));
  const output = callOn(call, tape, own, floats, false);
  return { shape: output.shape, output: [...output.values] };
}

test('every operation that is exported stands in the table, or has no gradient of its own', () => {
  const others = [
    ...['Tape', 'Tensor', 'GradientError', 'NonFiniteError', 'ExportError', 'checkGradient', 'defineOp', 'f'],
    // Identities without a gradient, and what only places values: see the tests below.
    ...['stopGradient', 'wholeNumbers', 'asExamples', 'asProgram', 'sumRows', 'meanRows'],
    // Sequences and neurons: test/tensor/ops.test.ts, torch.test.ts, gradient.test.ts and test/nn/layers.test.ts.
    ...['attention', 'rotary', 'lstm', 'ctc', 'fire', 'FiringStates', 'gradient', 'valueAndGradient'],
  ];
  assert.deepEqual(
    Object.keys(t)
      .filter((name) => !others.includes(name))
      .sort(),
    Object.keys(calls).sort(),
  );
});

test('stopGradient gives the values and holds back the gradient', () => {
  reference.beginStep();
  const tape = new Tape(reference);
  const x = reference.tensor([2, 3]);
  tape.watch([x]);
  const y = t.multiply(t.stopGradient(tape.parameter(x)), tape.parameter(x));
  tape.backward([{ tensor: y, cotangent: 1 }]);
  assert.deepEqual([...y.values], [4, 9]);
  assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [2, 3]);
});
