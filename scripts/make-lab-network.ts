/**
 * Makes the network that the lab begins with, and 200 digits that it has not been trained on: `node scripts/make-lab-network.ts`. Trains a run
 * by the command line, rounds its weights to five bits, and writes lab/public/front.safetensors.gz and, beside the run's record, its checksum
 * and what rounding changed: results/lab-network.json.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packFront, unpackFront } from '../lab/src/front-file.ts';
import { FRONT, FRONT_FILE } from '../lab/src/front-network.ts';
import { frontAnswers } from '../lab/src/worker/front.ts';
import { digitsSplit, evaluate, loadModel, Run, runModel, saveModel, slice } from '../src/index.ts';
import { createEngine, nodeFolder } from '../src/platform/node/index.ts';

const LAB = join(import.meta.dirname, '../lab');
const SEED = 1;
const COUNT = 200;
const flags = Object.entries({
  data: 'digits',
  units: FRONT.units,
  blocks: FRONT.blocks,
  gater: FRONT.gater.join(','),
  rate: 0.1,
  epochs: 40,
  patience: 8,
  seed: SEED,
  blas: 'off',
  simd: 'simd',
}).flatMap(([name, value]) => [`--${name}`, String(value)]);

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-front-'));
const engine = await createEngine({ simd: 'simd', blas: 'off' });
try {
  const run = join(folder, 'run');
  execFileSync(process.execPath, [join(LAB, '../cli/main.ts'), 'train', ...flags, '--run', run, '--json'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const opened = await Run.open(nodeFolder(run));
  const { model } = await runModel(opened, engine);
  const { train, test } = digitsSplit({ seed: SEED });
  zeroUnseen(model, train);
  const shown = slice(test, 0, COUNT);
  const bytes = gzipSync(
    packFront({ model: saveModel(model), digits: Uint8Array.from(shown.features), labels: shown.labels }),
    { level: 9 },
  );
  const rounded = loadModel(
    engine,
    unpackFront(packFront({ model: saveModel(model), digits: new Uint8Array(0), labels: new Uint8Array(0) })).model,
  );
  const errors = (own: typeof model) => ({
    sampled: evaluate(own, test, { mode: 'sample' }).error,
    threshold: evaluate(own, test, { mode: 'threshold' }).error,
  });
  await frontAnswers.openFront(`data:application/gzip;base64,${bytes.toString('base64')}`);
  const { wrong } = await frontAnswers.portraits();
  const record = {
    made: `node scripts/make-lab-network.ts: flipgrad train ${flags.join(' ')}`,
    run: opened.record,
    test: { examples: test.count, asTrained: errors(model), asShipped: errors(rounded) },
    digits: { part: 'test', seed: SEED, first: 0, count: COUNT },
    wrong,
    file: {
      name: `lab/public/${FRONT_FILE}`,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
  };
  writeFileSync(join(LAB, 'public', FRONT_FILE), bytes);
  writeFileSync(join(LAB, '../results/lab-network.json'), `${JSON.stringify(record, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify({ ...record.file, ...record.test })}\n`);
} finally {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Weights of pixels that no training digit inks are those that they began with: 0 changes no answer, and takes no room. */
function zeroUnseen(
  model: Parameters<typeof saveModel>[0],
  { features, count, width }: { features: ArrayLike<number>; count: number; width: number },
): void {
  const inked = new Uint8Array(width);
  for (let i = 0; i < count * width; i++) if (features[i] > 0) inked[i % width] = 1;
  for (const { name, tensor, blocks } of model.parameters) {
    const [rows, columns] = blocks ? [blocks.inputs, blocks.count * blocks.size] : tensor.shape;
    if (rows !== width) continue;
    const values = Float32Array.from(model.weights(name));
    for (let i = 0; i < values.length; i++) if (!inked[Math.floor(i / columns)]) values[i] = 0;
    model.setWeights(name, values);
  }
}
