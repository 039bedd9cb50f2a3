// Compiles src/kernels/assembly into two WebAssembly modules and writes each as a small TypeScript module
// (base64), so that Node, browsers and bundlers load them the same way. Runs in npm's prepare step.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'src/kernels/generated');

const COMMON = [
  'src/kernels/assembly/index.ts',
  '--baseDir',
  root,
  '--runtime',
  'stub',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory',
  '2',
  '--maximumMemory',
  '65536',
  '--memoryBase',
  '1024',
  '--noAssert',
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '0',
  '--converge',
  '--enable',
  'simd',
  '--enable',
  'threads',
  '--enable',
  'bulk-memory',
];

const VARIANTS = {
  simd: [],
  relaxed: ['--enable', 'relaxed-simd'],
};

mkdirSync(folder, { recursive: true });
for (const [name, flags] of Object.entries(VARIANTS)) {
  let wasm;
  const { error, stderr } = await asc.main([...COMMON, ...flags, '--outFile', `${name}.wasm`], {
    writeFile(file, contents) {
      if (file.endsWith('.wasm')) wasm = contents;
    },
  });
  if (error) {
    console.error(`The ${name} kernels did not compile: ${error.message}\n${stderr.toString()}`);
    process.exit(1);
  }
  const base64 = Buffer.from(wasm).toString('base64');
  writeFileSync(join(folder, `${name}.ts`), `export default '${base64}' as string;\n`);
}
