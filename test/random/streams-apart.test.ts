/** No two users of random numbers read one Philox counter under one key: what is drawn in place (noise), and what is read in order. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Engine } from '../../src/backend/engine.ts';
import type { Memory } from '../../src/backend/heap.ts';
import { makeDataset } from '../../src/data/dataset.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel } from '../../src/nn/model.ts';
import { fixedWeightNoise } from '../../src/nn/weight-noise.ts';
import { sgd } from '../../src/optim/index.ts';
import { philox, wordToUniform } from '../../src/random/philox.ts';
import { randomStream } from '../../src/random/stream.ts';
import { classification } from '../../src/tasks/classification.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { vae } from '../../src/tasks/vae.ts';
import { vaeLayers } from '../../src/tasks/vae-pass.ts';
import { compile } from '../../src/train/compile.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { Stepper } from '../../src/train/step.ts';
import { builds } from '../helpers/engines.ts';

const SEED = 2 ** 40 + 5;
const ROWS = 12;
const WIDTH = 20;
const STEPS = 40;

/** Two words of key, four of counter, as unsigned numbers. */
type Place = readonly [key0: number, key1: number, c0: number, c1: number, c2: number, c3: number];

const textOf = (place: Place): string => place.map((word) => word >>> 0).join(' ');
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The place of (row, column) of a drawing of noise: see kernels/random.ts. */
const noisePlace = (row: number, column: number, [key0, key1, step, stream]: readonly number[]): Place => [
  key0,
  key1,
  (column >> 4) * 4 + (column & 3),
  row,
  step,
  stream,
];

/** Where the kernels that draw noise draw it, by their arguments: rows, columns, and key, step and stream at the end. */
const DRAWN: Readonly<Record<string, (args: readonly number[], memory: Memory) => [number[], number[]][]>> = {
  uniforms: ([, rows, columns]) => [[range(rows), range(columns)]],
  uniformsOfRows: ([rowOf, , rows, columns], memory) => [[[...memory.integers(rowOf, rows)], range(columns)]],
  blockUniforms: ([, pairRow, pairBlock, pairs, size], memory) => {
    const [row, block] = [memory.integers(pairRow, pairs), memory.integers(pairBlock, pairs)];
    return range(pairs).map((p) => [[row[p]], range(size).map((i) => block[p] * size + i)]);
  },
};

/** An engine that notes every place that noise is drawn from, by who draws. */
function watched() {
  const { backend } = builds[0];
  const places = new Map<string, Place>();
  /** (key, step, stream) of every drawing, in order. */
  const drawings: string[] = [];
  const run: typeof backend.run = (name, ...args) => {
    backend.run(name, ...args);
    const numbers = args as readonly number[];
    const source = numbers.slice(-4);
    if (!(name in DRAWN)) return;
    drawings.push(source.join(' '));
    for (const [rows, columns] of DRAWN[name](numbers, backend.heap.memory))
      for (const row of rows)
        for (const column of columns) {
          const place = noisePlace(row, column, source);
          places.set(textOf(place), place);
        }
  };
  return { engine: new Engine({ ...backend, run }), places, drawings };
}

const data = makeDataset({
  name: 'random',
  features: Float32Array.from({ length: ROWS * WIDTH }, (_, i) => ((i * 7) % 11) / 10),
  scale: 1,
  labels: Uint8Array.from({ length: ROWS }, (_, i) => i % 3),
  width: WIDTH,
  classes: 3,
});

/** Every kind of user of noise, for many steps. */
function drawNoise() {
  const all = watched();
  const { engine } = all;
  const layers = [
    dense(20, 'stochastic-binary'),
    dropout(0.2),
    dense(17, 'disarm'),
    gated(32, { blocks: 8, gater: [4], neuron: 'straight-through', activation: 'noisy-rectifier', probe: 0.5 }),
    conditional({ neuron: 'straight-through', rate: 0.5 }, [dense(6, 'stochastic-binary'), dense(6, 'tanh')]),
    dense(3),
  ];
  const model = createModel(engine, { inputs: WIDTH, layers, seed: SEED });
  const indices = Int32Array.from(range(ROWS));
  const settings = { optimizer: sgd(), learningRate: 0.01 };
  const stepper = new Stepper(model, sgd());
  const perStep: string[][] = [];
  for (let step = 0; step < STEPS; step++) {
    const from = all.drawings.length;
    engine.beginStep();
    stepper.run(gatherBatch(engine, data, indices), settings);
    perStep.push(all.drawings.slice(from));
  }
  evaluate(model, data, { mode: 'sample' });
  compile(model, { mode: 'ensemble', samples: 3 }).evaluate(data);
  const noisy = createModel(engine, { inputs: WIDTH, layers: layers.slice(-1), seed: SEED });
  const own = new Stepper(noisy, sgd(), classification, { spec: fixedWeightNoise(0.1), examples: ROWS });
  const gather = (example: number) => gatherBatch(engine, data, indices.subarray(example, example + 1));
  if (own.noise) for (let step = 0; step < STEPS; step++) own.runNoisy(own.noise, ROWS, gather, settings);
  const encoder = createModel(engine, {
    inputs: WIDTH,
    layers: vaeLayers('linear', WIDTH, 'stochastic-binary', 4),
    seed: SEED,
  });
  const third = new Stepper(encoder, sgd(), vae());
  for (let step = 0; step < STEPS; step++) {
    engine.beginStep();
    third.run(gatherBatch(engine, data, indices), settings);
  }
  return { ...all, perStep };
}

const noise = drawNoise();

test('the kernels draw from the places that this file says', () => {
  const { engine } = noise;
  engine.beginStep();
  const { backend } = engine;
  const out = engine.allocate([3, 40], 'noise');
  backend.run('uniforms', out.pointer, 3, 40, 5, -7, 9, 2 ** 31);
  for (const r of range(3))
    for (const c of range(40)) {
      const [key0, key1, ...counter] = noisePlace(r, c, [5, -7, 9, 2 ** 31]);
      const words = philox(counter as [number, number, number, number], key0, key1, new Uint32Array(4));
      assert.equal(out.values[40 * r + c], wordToUniform(words[(c >> 2) & 3]));
    }
});

describe('noise and streams', () => {
  test('noise of neurons, dropout, gates, probes, weights and pictures was drawn, over steps, rows and streams', () => {
    const distinct = (word: number) => new Set([...noise.places.values()].map((place) => place[word] >>> 0));
    assert.ok(distinct(3).size >= ROWS, 'rows');
    assert.ok(distinct(4).size >= STEPS * ROWS, 'steps: of the weights, one a case');
    assert.ok(distinct(5).size >= 10, 'streams');
    assert.ok(noise.places.size > 50_000, `${noise.places.size} places`);
  });

  test('no counter of noise is one of weights, orders of examples, data or sweeps', () => {
    const firstWords = new Set([0, ...wordsOfSource().flatMap(({ words }) => words)]);
    assert.ok(firstWords.has(1) && firstWords.has(2) && firstWords.size > 20, 'weights, orders, and others');
    const shared: string[] = [];
    for (const first of firstWords)
      for (const second of [...range(100), 8192, 8200, 0x80000000])
        for (const third of [0, 1, 65536])
          for (const block of range(3)) {
            const text = textOf([SEED, Math.floor(SEED / 2 ** 32), block, first, second, third]);
            if (noise.places.has(text)) shared.push(text);
          }
    assert.deepEqual(shared.slice(0, 3), []);
  });

  test('no counter of noise is one of any seed and path whatever', () => {
    for (const [key0, key1, block, ...path] of noise.places.values()) {
      const seed = (key0 >>> 0) + 2 ** 32 * (key1 >>> 0);
      if (Number.isSafeInteger(seed))
        assert.fail(`randomStream(${seed}, ${path}) reads what noise has been drawn from, at block ${block}`);
    }
  });

  test('streams read at their path, under the seed as it is', () => {
    const words = philox([0, 7, 8, 9], SEED % 2 ** 32, Math.floor(SEED / 2 ** 32), new Uint32Array(4));
    const stream = randomStream(SEED, 7, 8, 9);
    for (const word of words) assert.equal(stream.uniform(), wordToUniform(word));
  });

  test('in one step, everything that draws has a stream of its own', () => {
    for (const drawings of noise.perStep) {
      assert.ok(drawings.length >= 7, `${drawings.length} drawings`);
      assert.equal(new Set(drawings).size, drawings.length, drawings.join('; '));
    }
  });
});

/** The first words of the paths that every file of the source reads streams by. */
function wordsOfSource(): { file: string; words: number[] }[] {
  const root = new URL('../../src/', import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      const calls = [...text.matchAll(/\brandomStream\([\w.]+, (\w+)/g)];
      // One whose arguments this does not read would not be looked at.
      const all = text.matchAll(/(?<!function )\brandomStream\((?!\d+\))/g);
      assert.equal(calls.length, [...all].length, file);
      const words = calls.map(([, word]) => {
        const constant = text.match(new RegExp(`const ${word} = (\\w+);`))?.[1] ?? word;
        assert.ok(Number.isInteger(Number(constant)), `${file}: the first word of a path is ${word}`);
        return Number(constant);
      });
      return words.length > 0 ? [{ file, words: [...new Set(words)] }] : [];
    });
}

test('files read streams by first words of their own', () => {
  const users = new Map<number, string[]>();
  for (const { file, words } of wordsOfSource())
    for (const word of words) users.set(word, [...(users.get(word) ?? []), file]);
  const shared = [...users].filter(([, files]) => files.length > 1);
  assert.deepEqual(shared, []);
});
