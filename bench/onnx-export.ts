/**
 * What exported gated layers gain in onnxruntime by skipping closed blocks: milliseconds of one row and of a hundred, both ways,
 * the ways in turn. Gates are top-k, so that exactly one in eight is open; weights are as at the start.
 *
 *     node bench/onnx-export.ts
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { createModel, dense, exportOnnx, gated, median } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';

env.wasm.numThreads = 1;
env.logLevel = 'error';

/** inputs, units, units of a block, outputs. */
const SHAPES = [
  [784, 512, 1, 10],
  [784, 512, 8, 10],
  [784, 512, 16, 10],
  [784, 2048, 1, 10],
  [784, 2048, 4, 10],
  [784, 2048, 8, 10],
  [784, 2048, 16, 10],
  [784, 2048, 64, 10],
  [1024, 8192, 64, 1024],
] as const;
const WAYS = ['plain', 'skip'] as const;
const ROWS = [1, 100] as const;
const REPEATS = { 1: 60, 100: 12 } as const;

for (const [inputs, units, size, outputs] of SHAPES) {
  const engine = await createEngine({ threads: 1 });
  const layers = [
    gated(units, { blocks: units / size, neuron: 'top-k', rate: 0.125, activation: 'rectifier' }),
    dense(outputs),
  ];
  const model = createModel(engine, { inputs, layers });
  const sessions = await Promise.all(WAYS.map((gates) => InferenceSession.create(exportOnnx(model, { gates }).bytes)));
  engine.close();
  const cells = [];
  for (const rows of ROWS) {
    const times: number[][] = WAYS.map(() => []);
    for (let i = 0; i < REPEATS[rows]; i++)
      for (const [way, session] of sessions.entries()) {
        const features = Float32Array.from({ length: rows * inputs }, (_, j) => Math.sin(j * (i + 1)));
        const input = new Tensor('float32', features, [rows, inputs]);
        const start = performance.now();
        await session.run({ input });
        times[way].push(performance.now() - start);
      }
    const [plain, skip] = times.map(median);
    cells.push(
      `${rows} rows: plain ${plain.toFixed(3)} ms, skip ${skip.toFixed(3)} ms (${(plain / skip).toFixed(2)}×)`,
    );
  }
  console.log(`${inputs} → ${units / size} blocks of ${size} → ${outputs}: ${cells.join('; ')}`);
  await Promise.all(sessions.map((session) => session.release()));
}
