/** Matrix products by a BLAS of the system, where there is one. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { GEMM_PART, gemmParts } from '../../src/backend/blas.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { type Batch, multiplyMatrices } from '../../src/backend/matmul.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import { sgd } from '../../src/optim/index.ts';
import { findBlas } from '../../src/platform/node/blas.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { type MatmulOptions, matmul } from '../../src/tensor/ops/matmul.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { Stepper } from '../../src/train/step.ts';
import { guarded } from '../helpers/arena.ts';
import { full } from '../helpers/extent.ts';
import { assertClose, assertSameBits, drawn, normal } from '../helpers/numbers.ts';
import { digits } from '../train/tiny.ts';

const found = await findBlas('auto').catch(() => undefined);
const skip = found ? false : 'There is no BLAS here, or no koffi: products run on the kernels alone.';

/** A product, or a batch of them. */
interface Call {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly bias: boolean;
  readonly accumulate: boolean;
  /** Products, and whether they share a, share b, and stand beside each other in wider rows of c. */
  readonly count: number;
  readonly sharedA: boolean;
  readonly sharedB: boolean;
  readonly beside: boolean;
}

const PLAIN: Call = {
  m: 64,
  n: 64,
  k: 64,
  transposeA: false,
  transposeB: false,
  bias: false,
  accumulate: false,
  count: 1,
  sharedA: false,
  sharedB: false,
  beside: false,
};

/** Runs a product on an engine, with guards around the result; whole columns of the result are there even between products. */
function multiply(engine: Engine, call: Call, seed: number): Float32Array {
  const { m, n, k, transposeA, transposeB, bias, accumulate, count, sharedA, sharedB, beside } = call;
  engine.beginStep();
  const put = (length: number, stream: number) => guarded(engine, drawn(normal(), length, seed, stream));
  const stored = (rows: number, columns: number, transpose: boolean) =>
    transpose ? { rowStride: 1, columnStride: rows } : { rowStride: columns, columnStride: 1 };
  const a = put((sharedA ? 1 : count) * m * k, 1);
  const b = put((sharedB ? 1 : count) * k * n, 2);
  const row = put(count * n, 3);
  const rowStride = beside ? count * n : n;
  const c = put(count * m * n, 4);
  const batch: Batch = {
    count,
    a: sharedA ? 0 : m * k,
    b: sharedB ? 0 : k * n,
    c: beside ? n : m * n,
    bias: n,
  };
  multiplyMatrices(
    engine,
    { pointer: a.pointer, ...stored(m, k, transposeA) },
    { pointer: b.pointer, ...stored(k, n, transposeB) },
    { pointer: c.pointer, rowStride },
    { m, n, k, accumulate, ...(bias && !accumulate && { bias: row.pointer }) },
    ...(count > 1 ? [batch] : []),
  );
  for (const [what, array] of Object.entries({ a, b, row, c })) array.checkSurroundings(what, what === 'c');
  return Float32Array.from(c.read());
}

describe('products by BLAS', { skip }, async () => {
  const engines: Engine[] = [];
  const engineWith = async (threads: number, blas: string): Promise<Engine> => {
    const engine = await createEngine({ threads, blas });
    engines.push(engine);
    return engine;
  };
  const library = found?.library ?? 'off';
  const [kernels, one, two] = [await engineWith(1, 'off'), await engineWith(1, library), await engineWith(2, library)];
  after(() => {
    for (const engine of engines) engine.close();
  });

  /** Fails unless a call goes to BLAS and gives the kernels' product, to the rounding of sums of k products. */
  function compare(call: Call, seed: number): void {
    const { k } = call;
    const expected = multiply(kernels, call, seed);
    // The i-th partial sum of products of normals is about √i, and rounded to 2⁻²⁴ of itself: errors add up to about 2⁻²⁴·k/√2 on both sides.
    const absolute = 5 * 2 ** -24 * (k + 2);
    assertClose(multiply(one, call, seed), expected, { relative: 1e-5, absolute }, JSON.stringify(call));
  }

  /** The same engine, noting how many products go to BLAS. */
  async function counting(threads: number) {
    const engine = await engineWith(threads, library);
    const { gemm } = engine.backend;
    const seen = { products: 0 };
    const counted: typeof gemm = (product) => {
      seen.products++;
      gemm?.(product);
    };
    const backend = { ...engine.backend, gemm: counted };
    return { engine: Object.defineProperty(engine, 'backend', { value: backend }), seen };
  }

  test('the engine says which BLAS it has; without one it says none', () => {
    assert.equal(one.name, `${kernels.name}+${found?.name}`);
    assert.match(found?.name ?? '', /^[a-z0-9_]+$/);
    assert.ok(kernels.backend.gemm === undefined && one.backend.gemm !== undefined);
    assert.doesNotMatch(kernels.name, /\+/);
  });

  test('all transposes, bias or accumulation, shapes around the parts of a product', () => {
    const edges = [1, 2, 7, GEMM_PART - 1, GEMM_PART, GEMM_PART + 1, 2 * GEMM_PART, 2 * GEMM_PART + 5];
    const extent = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 1, max: 300 }));
    const call = fc.record({
      m: extent,
      n: extent,
      k: extent,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      bias: fc.boolean(),
      accumulate: fc.boolean(),
    });
    const small = call.filter(({ m, n, k }) => m * n * k >= 1 << 15 && m * n * k <= 1 << 23);
    fc.assert(
      fc.property(small, fc.nat(), (shape, seed) => compare({ ...PLAIN, ...shape }, seed)),
      { numRuns: full ? 60 : 20 },
    );
  });

  test('vectors: one row, one column, or sums of one product', () => {
    for (const [m, n, k] of [
      [1, 200, 200],
      [200, 1, 200],
      [200, 200, 1],
      [1, 1, 40000],
      [40000, 1, 1],
      [1, 40000, 1],
    ])
      for (const transposeA of [false, true])
        for (const transposeB of [false, true])
          for (const accumulate of [false, true]) compare({ ...PLAIN, m, n, k, transposeA, transposeB, accumulate }, 7);
  });

  test('batches that share a factor or not, with results below or beside each other', () => {
    const extent = fc.oneof(fc.constantFrom(20, 33, 64), fc.integer({ min: 1, max: 90 }));
    const flags = { transposeA: fc.boolean(), transposeB: fc.boolean(), bias: fc.boolean(), accumulate: fc.boolean() };
    const layout = { sharedA: fc.boolean(), sharedB: fc.boolean(), beside: fc.boolean() };
    const count = fc.integer({ min: 2, max: 5 });
    const call = fc.record({ m: extent, n: extent, k: extent, ...flags, ...layout, count });
    fc.assert(
      fc.property(
        call.filter(({ m, n, k }) => m * n * k >= 1 << 15),
        fc.nat(),
        compare,
      ),
      { numRuns: full ? 40 : 12 },
    );
  });

  test('two threads give the bits of one', () => {
    const shapes: Partial<Call>[] = [
      { m: 100, n: 1000, k: 64 },
      { m: 1000, n: 90, k: 70, transposeA: true, bias: true },
      { m: 300, n: 2 * GEMM_PART + 1, k: 65, transposeB: true, accumulate: true },
      { m: 100, n: 20, k: 97, count: 50, sharedA: true, beside: true, bias: true },
    ];
    for (const [i, shape] of shapes.entries())
      for (let time = 0; time < 3; time++)
        assertSameBits(
          multiply(two, { ...PLAIN, ...shape }, i),
          multiply(one, { ...PLAIN, ...shape }, i),
          JSON.stringify(shape),
        );
    assert.ok(gemmParts(100, 1000, 1) > 1 && gemmParts(1000, 90, 1) > 1, 'one part: threads have nothing to share');
  });

  test('large products go to BLAS; small ones, and operands without a stride of 1, do not', async () => {
    const { engine, seen } = await counting(1);
    multiply(engine, { ...PLAIN, m: 4 }, 1);
    assert.equal(seen.products, 0);
    multiply(engine, PLAIN, 1);
    multiply(engine, { ...PLAIN, count: 3 }, 1);
    assert.equal(seen.products, 2);
    // Every second column of a matrix of 128 columns.
    const strided = (at: Engine): Float32Array => {
      at.beginStep();
      const [a, b, c] = [64 * 128, 64 * 64, 64 * 64].map((length, i) => guarded(at, drawn(normal(), length, 1, i)));
      const second = { pointer: a.pointer, rowStride: 128, columnStride: 2 };
      const plain = { pointer: b.pointer, rowStride: 64, columnStride: 1 };
      multiplyMatrices(at, second, plain, { pointer: c.pointer, rowStride: 64 }, { m: 64, n: 64, k: 64 });
      return Float32Array.from(c.read());
    };
    assertSameBits(strided(engine), strided(kernels), 'every second column');
    assert.equal(seen.products, 2);
  });

  for (const [name, layers] of [
    ['one input or one output', [dense(400, 'tanh'), dense(1), dense(300, 'tanh'), dense(10)]],
    ['gates of units', [gated(300, { neuron: 'straight-through', compute: 'dense', rate: 0.3 }), dense(10)]],
    ['gates of blocks', [gated(320, { blocks: 8, neuron: 'sigmoid', compute: 'dense', rate: 0.3 }), dense(10)]],
  ] as [string, LayerSpec[]][])
    test(`a step of training, with BLAS and without, ${name}`, async () => {
      const { engine, seen } = await counting(2);
      const [expected, actual] = [kernels, engine].map((at) => {
        const model = createModel(at, { inputs: 784, layers, seed: 2 });
        const stepper = new Stepper(model, sgd());
        at.beginStep();
        const order = Int32Array.from({ length: 128 }, (_, i) => i);
        const { loss } = stepper.run(gatherBatch(at, digits.train, order), { optimizer: sgd(), learningRate: 0.1 });
        return { loss, parameters: model.parameters.map(({ tensor }) => tensor.toArray()) };
      });
      assert.ok(seen.products > 5, `${seen.products} products went to BLAS`);
      assert.ok(Math.abs(actual.loss - expected.loss) < 1e-5 * expected.loss, `${actual.loss} and ${expected.loss}`);
      actual.parameters.forEach((values, i) => {
        assertClose(values, expected.parameters[i], { relative: 1e-5, absolute: 1e-5 }, `parameter ${i}`);
      });
    });
});

/** Runs with $FLIPGRAD_BLAS set, or without it. */
async function withVariable<T>(value: string | undefined, act: () => Promise<T>): Promise<T> {
  const before = process.env.FLIPGRAD_BLAS;
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env.FLIPGRAD_BLAS;
    else process.env.FLIPGRAD_BLAS = to;
  };
  set(value);
  try {
    return await act();
  } finally {
    set(before);
  }
}

describe('which BLAS', () => {
  const missing = '/nowhere/libblas-that-is-not.so';
  const refusal = { name: 'BlasError', message: new RegExp(`^BLAS "${missing}" (cannot be used|needs the optional)`) };

  test('a library that cannot be loaded is refused in a sentence, where it was named', async () => {
    await assert.rejects(findBlas(missing), refusal);
    await assert.rejects(createEngine({ threads: 1, blas: missing }), refusal);
    await withVariable(missing, async () => {
      await assert.rejects(findBlas('auto'), refusal);
      await assert.rejects(createEngine({ threads: 1, blas: 'auto' }), refusal);
      // An argument is nearer than the environment.
      assert.ok((await findBlas('off')) === undefined);
    });
  });

  test('a library that is no BLAS is refused', { skip: process.platform !== 'linux' || skip }, async () => {
    await assert.rejects(findBlas('libm.so.6'), {
      name: 'BlasError',
      message:
        /^BLAS "libm\.so\.6" cannot be used: .*cblas_sgemm.*\. Expected the path of a library with cblas_sgemm\.$/,
    });
  });

  test('FLIPGRAD_BLAS=off, and no option at all, give none', async () => {
    await withVariable('off', async () => assert.ok((await findBlas('auto')) === undefined));
    for (const [variable, options] of [
      ['off', { blas: 'auto' }],
      [undefined, {}],
      [undefined, { blas: 'off' }],
    ] as const)
      await withVariable(variable, async () => {
        const engine = await createEngine({ threads: 1, ...options });
        assert.ok(engine.backend.gemm === undefined && !engine.name.includes('+'), engine.name);
        engine.close();
      });
  });

  test('FLIPGRAD_BLAS names a library for `auto`', { skip }, async () => {
    await withVariable(found?.library, async () => assert.equal((await findBlas('auto'))?.library, found?.library));
  });
});

describe('batches of matrix products of tensors', { skip }, async () => {
  const [kernels, single, pair] = await Promise.all([
    createEngine({ threads: 1 }),
    createEngine({ threads: 1, blas: 'auto' }),
    createEngine({ threads: 2, blas: 'auto' }),
  ]);
  after(() => {
    for (const engine of [kernels, single, pair]) engine.close();
  });
  /** The product, and the gradients of both sides, one after another. */
  const passes = (engine: Engine, shapes: readonly number[][], options: MatmulOptions): Float32Array => {
    engine.beginStep();
    const tape = new Tape(engine);
    const arrays = shapes.map((shape, i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return engine.tensor(drawn(normal(), size, 3, i), shape);
    });
    tape.watch(arrays);
    const [a, b] = arrays.map((array) => tape.parameter(array));
    const y = matmul(a, b, undefined, options);
    tape.backward([{ tensor: y, cotangent: 1 }]);
    const gradients = arrays.flatMap((array) => [...(tape.gradient(array)?.values ?? [])]);
    return Float32Array.from([...y.values, ...gradients]);
  };
  const plain = [
    [
      [3, 40, 36],
      [3, 36, 44],
    ],
    [
      [2, 1, 40, 36],
      [3, 36, 44],
    ],
    [
      [40, 36],
      [3, 36, 44],
    ],
    [[300, 200], [200]],
  ];
  const cases: [number[][], MatmulOptions][] = [
    ...plain.map((shapes): [number[][], MatmulOptions] => [shapes, {}]),
    [
      [
        [3, 36, 40],
        [36, 44],
      ],
      { transposeA: true },
    ],
    [
      [
        [2, 3, 36, 40],
        [3, 44, 36],
      ],
      { transposeA: true, transposeB: true },
    ],
  ];
  for (const [shapes, options] of cases)
    test(`${JSON.stringify(shapes)} ${JSON.stringify(options)}`, () => {
      const expected = passes(kernels, shapes, options);
      assertClose(passes(single, shapes, options), expected, { relative: 1e-5, absolute: 5e-5 }, 'one thread');
      assertSameBits(passes(pair, shapes, options), passes(single, shapes, options), 'two threads');
    });
});
