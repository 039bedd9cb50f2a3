/**
 * Makes the network of the lab's page "Text", and an excerpt that it has not been trained on: `node scripts/make-lab-text.ts`. Trains a run
 * by the command line on the text that comes with the package, rounds its weights to eight bits, and writes lab/public/text.safetensors.gz
 * and, beside the run's record, its checksum and what rounding changed: results/lab-text.json.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packText, unpackText } from '../lab/src/text-file.ts';
import { CONTEXT, TEXT_FILE } from '../lab/src/text-page.ts';
import { evaluateTask, loadModel, nextToken, Run, runModel, saveModel, textParts, windows } from '../src/index.ts';
import { createEngine, nodeFolder } from '../src/platform/node/index.ts';

const ROOT = join(import.meta.dirname, '..');
const SEED = 1;
/** Bytes of the excerpt. */
const EXCERPT = 4096;
const flags = Object.entries({
  model: 'lm',
  data: 'moby-dick',
  context: CONTEXT,
  experts: 16,
  units: 64,
  rate: 0.125,
  epochs: 3,
  seed: SEED,
  blas: 'off',
  simd: 'simd',
}).flatMap(([name, value]) => [`--${name}`, String(value)]);

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-text-'));
const engine = await createEngine({ simd: 'simd', blas: 'off' });
try {
  const run = join(folder, 'run');
  execFileSync(process.execPath, [join(ROOT, 'cli/main.ts'), 'train', ...flags, '--run', run, '--json'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const opened = await Run.open(nodeFolder(run));
  const { model } = await runModel(opened, engine);
  const { test } = textParts('moby-dick', readFileSync(join(ROOT, 'texts/moby-dick.txt')), CONTEXT);
  const excerpt = Uint8Array.from(test.subarray(0, EXCERPT));
  const packed = packText({ model: saveModel(model), excerpt });
  const bytes = gzipSync(packed, { level: 9 });
  const rounded = loadModel(engine, unpackText(packed).model);
  const data = windows('the excerpt', excerpt, CONTEXT);
  const bitsOf = (own: typeof model): number => evaluateTask(own, data, nextToken, { mode: 'threshold' }).metrics.bits;
  const record = {
    made: `node scripts/make-lab-text.ts: flipgrad train ${flags.join(' ')}`,
    run: opened.record,
    excerpt: {
      of: 'moby-dick',
      part: 'test',
      first: 0,
      bytes: EXCERPT,
      bits: { asTrained: bitsOf(model), asShipped: bitsOf(rounded) },
    },
    file: {
      name: `lab/public/${TEXT_FILE}`,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
  };
  writeFileSync(join(ROOT, 'lab/public', TEXT_FILE), bytes);
  writeFileSync(join(ROOT, 'results/lab-text.json'), `${JSON.stringify(record, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify({ ...record.file, ...record.excerpt.bits })}\n`);
} finally {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
}
