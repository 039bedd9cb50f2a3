/**
 * Damages files of every format that flipgrad reads, and reads them:
 *
 *     npm run fuzz            # 2,000 a reader
 *     npm run fuzz -- 10000 7 # 10,000 a reader, seed 7
 */
import { createEngine } from '../../src/platform/node/engine.ts';
import { fuzz } from './fuzz.ts';
import { readers } from './readers.ts';

const count = Number(process.argv[2] ?? 2000);
const seed = process.argv[3] === undefined ? undefined : Number(process.argv[3]);
const engine = await createEngine({ threads: 1 });
const before = process.resourceUsage().maxRSS;
let files = 0;
for (const reader of await readers(engine)) {
  const start = performance.now();
  const { read, refused } = await fuzz(reader, count, seed);
  files += count;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${reader.name.padEnd(34)} ${read} read, ${refused} refused, ${seconds} s`);
}
const megabytes = ((process.resourceUsage().maxRSS - before) / 1024).toFixed(0);
console.log(`${files} damaged files: no crash, no hang; ${megabytes} MB more memory at the peak`);
engine.close();
