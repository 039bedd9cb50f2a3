import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createEngine, type EngineOptions } from '../../src/backend/engine.ts';
import { type Heap, HeapError, LINE, paddedBytes } from '../../src/backend/heap.ts';
import { full } from '../helpers/extent.ts';

const MIB = 2 ** 20;
const kinds: readonly EngineOptions[] = [{ simd: 'simd', threads: 1 }, { backend: 'reference' }];

async function newHeap(options: EngineOptions = kinds[0]): Promise<Heap> {
  return (await createEngine(options)).backend.heap;
}

interface Piece {
  readonly pointer: number;
  readonly elements: number;
  readonly mark: number;
}

/** Fills a piece with a number of its own, padding and all. */
function mark(heap: Heap, { pointer, elements, mark }: Piece): void {
  heap.memory.floats(pointer, paddedBytes(elements) / 4).fill(mark);
}

function assertMarked(heap: Heap, pieces: readonly Piece[]): void {
  for (const { pointer, elements, mark } of pieces)
    assert.ok(
      heap.memory.floats(pointer, paddedBytes(elements) / 4).every((x) => x === mark),
      `the piece at ${pointer} was written over`,
    );
}

/** What a program may do with a heap; sizes about the padding, and about the 4 MiB by which regions grow. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('step', 'persistent'), elements: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('step', 'persistent'), elements: fc.nat(700_000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reset', elements: 0 }) },
);

for (const options of kinds)
  describe(`the heap of the ${options.backend ?? 'wasm'} backend`, () => {
    test('whatever is allocated in whatever order, living pieces are aligned, padded and apart', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
          const heap = await newHeap(options);
          const persistent: Piece[] = [];
          let step: Piece[] = [];
          actions.forEach(({ kind, elements }, i) => {
            if (kind === 'reset') {
              assertMarked(heap, step);
              heap.resetArena();
              step = [];
              return;
            }
            const allocate = kind === 'step' ? heap.allocate.bind(heap) : heap.allocatePersistent.bind(heap);
            const piece = { pointer: allocate(elements, 'a piece'), elements, mark: i + 1 };
            assert.equal(piece.pointer % LINE, 0);
            assert.ok(piece.pointer > 0, 'pointer 0 means: none');
            if (kind === 'persistent') assert.ok(heap.memory.floats(piece.pointer, elements).every((x) => x === 0));
            mark(heap, piece);
            (kind === 'step' ? step : persistent).push(piece);
          });
          assertMarked(heap, [...persistent, ...step]);
        }),
        { numRuns: full ? 25 : 6 },
      );
    });

    test('a step that allocates as the last one did gets the same pointers', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
          const heap = await newHeap(options);
          const sizes = actions.filter(({ kind }) => kind === 'step').map(({ elements }) => elements);
          const others = actions.filter(({ kind }) => kind === 'persistent').map(({ elements }) => elements);
          // Persistent memory is taken in the midst of the first step, so that the arena is not in one piece.
          const first = sizes.map((elements, i) => {
            if (i < others.length) heap.allocatePersistent(others[i], 'a parameter');
            return heap.allocate(elements, 'a piece');
          });
          const { claimed } = heap.usage;
          for (let time = 0; time < 2; time++) {
            heap.resetArena();
            assert.deepEqual(
              sizes.map((elements) => heap.allocate(elements, 'a piece')),
              first,
            );
          }
          assert.equal(heap.usage.claimed, claimed);
        }),
        { numRuns: full ? 25 : 6 },
      );
    });

    test('growth keeps what was there', async () => {
      const heap = await newHeap(options);
      const pieces: Piece[] = [];
      for (let i = 1; i <= 12; i++) {
        const elements = i % 3 === 0 ? 3 * MIB : 1000 * i;
        const pointer = i % 2 ? heap.allocate(elements, 'a piece') : heap.allocatePersistent(elements, 'a piece');
        pieces.push({ pointer, elements, mark: i });
        mark(heap, pieces[i - 1]);
      }
      assertMarked(heap, pieces);
    });

    test('usage counts the bytes of the step, and the most that a step used', async () => {
      const heap = await newHeap(options);
      heap.allocate(1, 'a line');
      heap.allocate(17, 'two lines');
      heap.allocate(0, 'nothing, a line all the same');
      assert.equal(heap.usage.step, 4 * LINE);
      heap.resetArena();
      heap.allocate(16, 'a line');
      assert.deepEqual([heap.usage.step, heap.usage.stepPeak], [LINE, 4 * LINE]);
      heap.resetPeak();
      assert.equal(heap.usage.stepPeak, LINE);
    });

    test('a size that is no whole number is refused', async () => {
      const heap = await newHeap(options);
      for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
        assert.throws(() => heap.allocate(size, 'The weights'), {
          name: 'HeapError',
          message: `The weights asked the heap for ${size} elements. Expected a whole number ≥ 0.`,
        });
    });
  });

describe('a heap with a limit', () => {
  const limited = (bytes: number): Promise<Heap> => newHeap({ simd: 'simd', threads: 1, memory: bytes });

  test('says what asked for how much, what is in use and what was expected', async () => {
    const heap = await limited(16 * MIB);
    assert.throws(
      () => heap.allocate(5_000_000, 'the output of sigmoid'),
      (error: HeapError) => {
        assert.ok(error instanceof HeapError);
        const used = (heap.usage.claimed / 1e6).toFixed(1);
        const limit = (heap.limit / 1e6).toFixed(1);
        const facts = `the output of sigmoid asked for 20.0 MB, ${used} of ${limit} MB are in use`;
        assert.ok(error.message.includes(facts), error.message);
        assert.match(error.message, /smaller batch or network, or an engine with a larger `memory`/);
        return true;
      },
    );
  });

  test('never claims more than the limit, and gives all but a page of it', async () => {
    const heap = await limited(16 * MIB);
    assert.ok(heap.limit <= 16 * MIB);
    let given = 0;
    assert.throws(() => {
      for (;;) {
        heap.allocate(10_000, 'a piece');
        given += paddedBytes(10_000);
      }
    }, HeapError);
    const { claimed, step } = heap.usage;
    assert.equal(step, given);
    assert.ok(claimed <= heap.limit);
    assert.ok(claimed > heap.limit - 65536, `${claimed} of ${heap.limit} claimed`);
  });

  test('is as good as before after a refusal', async () => {
    const heap = await limited(16 * MIB);
    assert.throws(() => heap.allocate(2 ** 30, 'too much'), HeapError);
    const piece = { pointer: heap.allocate(1000, 'a piece'), elements: 1000, mark: 3 };
    mark(heap, piece);
    heap.resetArena();
    assert.equal(heap.allocate(1000, 'a piece'), piece.pointer);
  });

  test('gives a part of the program no more than it may have, and the rest to others again', async () => {
    const heap = await newHeap();
    const floats = (bytes: number) => heap.allocatePersistent(bytes / 4, 'a part');
    const before = heap.usage.claimed;
    assert.throws(() => heap.within(16 * MIB, () => [floats(8 * MIB), floats(16 * MIB)]), HeapError);
    assert.throws(() => heap.within(16 * MIB, () => heap.within(64 * MIB, () => floats(32 * MIB))), HeapError);
    assert.ok(heap.usage.claimed - before <= 16 * MIB);
    heap.within(16 * MIB, () => floats(8 * MIB));
    floats(64 * MIB);
  });
});

test('kernels on rows that fill no vector read nothing beyond the end of the memory', async () => {
  const engine = await createEngine({ simd: 'simd', threads: 1, memory: 16 * MIB });
  const { heap } = engine.backend;
  const state = engine.parameter([2, 16], 'state');
  const out = engine.parameter([16, 1], 'gradients');
  state.values.fill(1);
  // Take lines until there is none left: the last one ends where the memory ends.
  let last = 0;
  assert.throws(() => {
    for (;;) last = heap.allocate(16, 'a line');
  }, HeapError);
  assert.equal(last + LINE, heap.memory.floats(0, 1).buffer.byteLength);
  heap.memory.floats(last, 16).fill(2);
  // Sixteen rows of one unit: a vector that starts in the last row would end three elements later.
  engine.backend.runNeuron('pullbackScore', 16, 1, [last, 0, last, last, 0, out.pointer, 16, 1, state.pointer, 0, 0]);
  engine.backend.runNeuron('updateScore', 16, 1, [last, 0, last, last, 16, 1, state.pointer, 0, 0.5]);
  const score = 2 - 1 / (1 + Math.exp(-2));
  assert.ok(out.values.every((x) => Math.abs(x - score) < 1e-6));
  assert.ok(Math.abs(state.values[16] - (0.5 + 0.5 * score ** 2)) < 1e-6);
});
