/** What a user gets: the files of the package, and the README's example in a project that has installed them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { after, describe, it } from 'node:test';
import { slow } from '../helpers/extent.ts';
import { linksOf } from '../helpers/markdown.ts';
import { installPacked, npm } from '../helpers/packed.ts';
import { blocksOf, readPage, root } from '../helpers/page.ts';

const packed = (): string[] =>
  (
    JSON.parse(npm(['pack', '--dry-run', '--json', '--ignore-scripts'])) as { files: { path: string }[] }[]
  )[0].files.map(({ path }) => path);

describe('the package', () => {
  const files = packed();

  it('has the program, its types, the docs and what they show', () => {
    for (const file of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/cli/main.js',
      'CONTRIBUTING.md',
      'docs/tutorial.md',
      'docs/concepts.md',
      'docs/pictures/lab.png',
      'texts/README.md',
    ])
      assert.ok(files.includes(file), file);
    for (const page of files.filter((file) => file.endsWith('.md')))
      for (const { target } of linksOf(readPage(page))) {
        const [path] = target.split('#');
        if (/^(https?|mailto):/.test(target) || path === '') continue;
        const file = normalize(join(dirname(page), path));
        // Records of experiments, and what is for work on the repository, are read there.
        if (/\.jsonl?$/.test(file) || /^(src|lab|test)/.test(file)) continue;
        assert.ok(files.includes(file), `${page} links to ${file}, which is not in the package`);
      }
  });

  it('has no path of the machine that made it', () => {
    const mine = new RegExp(`${root.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}|file:///|/home/\\w|/Users/\\w`);
    for (const file of files)
      if (/\.(js|ts|json|md|html|css|map)$/.test(file))
        assert.doesNotMatch(readFileSync(join(root, file), 'utf8'), mine, file);
  });

  it('has the licences of what is bundled in the lab, where the lab is built', () => {
    const built = files.some((file) => file.startsWith('dist/lab/assets/'));
    assert.equal(files.includes('dist/lab/licenses.md'), built);
  });

  it('has no test, and nothing of the lab but what is built', () => {
    assert.deepEqual(
      files.filter((file) => /(^|\/)(test|node_modules)\//.test(file)),
      [],
    );
  });
});

/** A program that uses something of every entry, with types of its own in what it asks for and what it gets. */
const PROGRAM = `
import { adam, createModel, dense, type EpochEvent, exportOnnx, gated, type Neuron, saveModel, train } from 'flipgrad';
import { createEngine as inBrowser } from 'flipgrad/browser';
import { estimateGradient } from 'flipgrad/estimate';
import { type NeuronName, zoo } from 'flipgrad/neurons';
import { createEngine, loadDataset } from 'flipgrad/node';
import { defineOp, Tape } from 'flipgrad/tensor';

const engine = await createEngine();
const data = await loadDataset('digits');
const model = createModel(engine, { inputs: 784, layers: [gated(64, { blocks: 4 }), dense(10)] });
const epochs: EpochEvent[] = [];
for await (const event of train(model, data, { epochs: 1, optimizer: adam() })) if (event.event === 'epoch') epochs.push(event);
export const name: NeuronName = 'disarm';
export const blob = new Blob([saveModel(model), exportOnnx(model).bytes]);
export const buffer: ArrayBuffer = saveModel(model).buffer;
export const { gradient } = await estimateGradient({ neuron: 'rloo', logits: [0, 1], loss: (bits) => bits[0] });
export const sum: number = gradient.reduce((a: number, b: number) => a + b, 0);
export const own: readonly Neuron[] = [];
export { defineOp, epochs, inBrowser, Tape, zoo };
// @ts-expect-error: the library has types, and no option of this name
train(model, data, { epoch: 2 });
// @ts-expect-error: no string
export const wrong: string = saveModel(model);
`;

/** Installed where the test needs it: a second `tsc` beside ours would be one too many. */
const OLDEST = '5.7.3';

describe('a project that installs the package', { skip: slow }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-project-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('runs the README’s example and the command line', () => {
    installPacked(folder);
    const example = blocksOf(readPage('README.md')).find(({ language }) => language === 'ts') ?? assert.fail();
    writeFileSync(join(folder, 'example.ts'), example.code);
    const output = execFileSync(process.execPath, ['example.ts'], { cwd: folder, encoding: 'utf8' });
    assert.match(output, /test error 0\.\d+, \d+ of \d+ multiply-adds/);
    assert.match(npm(['exec', '--', 'flipgrad', 'train', '--help'], folder), /Usage: flipgrad train/);
    assert.ok(existsSync(join(folder, 'node_modules/flipgrad/docs/tutorial.md')));
  });

  it('has types for the oldest TypeScript that it asks for, and for the newest, as Node and as bundlers find modules', () => {
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', `typescript@${OLDEST}`], folder);
    const types = join(folder, 'node_modules/@types');
    mkdirSync(types, { recursive: true });
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const compilerOptions = {
      ...{ target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'] },
      ...{ strict: true, noEmit: true, skipLibCheck: false, types: ['node'] },
    };
    const ways = [{ module: 'nodenext' }, { module: 'esnext', moduleResolution: 'bundler' }];
    const { peerDependencies, devDependencies } = JSON.parse(readPage('package.json'));
    const [, oldest] = /^>=(\d+\.\d+)$/.exec(peerDependencies.typescript) ?? assert.fail('package.json');
    assert.ok(OLDEST.startsWith(`${oldest}.`));
    assert.ok(readPage('README.md').includes(`for TypeScript ≥ ${oldest}`));
    for (const [version, modules] of [
      [OLDEST, folder],
      [devDependencies.typescript, root],
    ]) {
      const compiler = join(modules, 'node_modules/typescript/bin/tsc');
      const run = (...args: string[]) =>
        spawnSync(process.execPath, [compiler, ...args], { cwd: folder, encoding: 'utf8' });
      assert.equal(run('--version').stdout.trim(), `Version ${version}`);
      for (const way of ways) {
        const options = { ...compilerOptions, ...way };
        writeFileSync(
          join(folder, 'tsconfig.json'),
          JSON.stringify({ compilerOptions: options, files: ['program.ts', 'example.ts'] }),
        );
        const { status, stdout, stderr } = run('-p', '.');
        assert.equal(`${stdout}${stderr}`, '', `${version}, ${JSON.stringify(way)}`);
        assert.equal(status, 0);
      }
    }
  });
});
