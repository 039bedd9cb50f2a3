/** What an error that reached the top becomes: a sentence for the user's fault, a stack for our own. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ExitCode, explain } from '../../cli/exit.ts';
import { runCli } from '../helpers/run-cli.ts';

function caught(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

test('errors of the operating system are sentences', () => {
  const { text, code } = explain(caught(() => readFileSync('/no/such/file')));
  assert.equal(text, 'flipgrad: There is no /no/such/file. Expected the path of a file or folder that exists.');
  assert.match(explain(caught(() => readFileSync('/'))).text, /^flipgrad: (\/ is a folder\. Expected a file\.|EISDIR)/);
  assert.equal(code, ExitCode.badUsage);
});

test('errors with codes of Node or of the web are our own, and have a stack', () => {
  for (const action of [
    () => structuredClone(() => {}),
    () => Buffer.alloc('1' as unknown as number),
    () => new URL('no address'),
  ]) {
    const error = caught(action);
    assert.notEqual((error as NodeJS.ErrnoException).code, undefined);
    const { text, code } = explain(error);
    assert.match(text, /^flipgrad: an error of its own, not of your input:\n.*exit\.test\.ts/s, error.message);
    assert.equal(code, ExitCode.badUsage);
  }
});

test('of a CommonJS file, and of one in the root of a clone, too', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const [common, own] = [join(tmpdir(), 'n.cjs'), join(root, 'damped.ts')];
  for (const [file, place] of [
    [common, common],
    [own, pathToFileURL(own).href],
  ]) {
    const error = new TypeError('of the file');
    error.stack = `TypeError: of the file\n    at fire (${place}:3:5)\n    at ${new URL('../../src/tensor/tape.ts', import.meta.url).href}:1:1`;
    assert.equal(explain(error).text.indexOf(`flipgrad: an error in ${file}:\n`), 0, explain(error).text);
  }
  const ours = new TypeError('ours');
  ours.stack = `TypeError: ours\n    at ${new URL('../../cli/train.ts', import.meta.url).href}:1:1`;
  assert.match(explain(ours).text, /an error of its own, not of your input/);
});

test('an error that nobody awaits, and a wait without end, in a file of the user’s own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-exit-'));
  try {
    const net = async (name: string, code: string) => {
      const file = join(folder, name);
      writeFileSync(file, `${code}\nexport default [{ layer: 'dense', units: 2 }];\n`);
      return [file, await runCli(['train', '--data', 'digits', '--net', file, '--run', join(folder, 'run')])] as const;
    };
    const [file, left] = await net('left.mjs', 'Promise.reject(new TypeError("later"));');
    assert.equal(left.stderr.indexOf(`flipgrad: an error in ${file}:\nTypeError: later\n`), 0, left.stderr);
    assert.equal(left.code, ExitCode.badUsage);
    const [, waiting] = await net('waiting.mjs', 'await new Promise(() => {});');
    assert.match(waiting.stderr, /^flipgrad: something is awaited that never comes, in a file of your own/m);
    assert.equal(waiting.code, ExitCode.badUsage);
    assert.equal(existsSync(join(folder, 'run')), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('errors in a file of the user’s own name the file, also where we called it; of packages they do not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-exit-'));
  try {
    const file = join(folder, 'my neuron.mjs');
    writeFileSync(file, 'export const fire = () => { null.h; };\nexport const each = (list) => list.map(fire);\n');
    const own = (await import(pathToFileURL(file).href)) as { fire(): void; each(list: readonly number[]): void };
    const [awaited, above] = ['awaited.mjs', 'above.mjs'].map((name) => join(folder, name));
    writeFileSync(awaited, 'await 0;\nnull.h;\n');
    writeFileSync(
      above,
      "import { readFile } from 'node:fs/promises';\nawait readFile(1.5).catch((e) => { throw e; });\n",
    );
    for (const own of [awaited, above]) {
      const error = await import(pathToFileURL(own).href).then(
        () => assert.fail('Nothing was thrown.'),
        (error) => error as Error,
      );
      assert.equal(explain(error).text.indexOf(`flipgrad: an error in ${own}:\n`), 0, explain(error).text);
    }
    for (const action of [() => own.fire(), () => own.each([1]), () => [1].map(() => own.fire())]) {
      const { text, code } = explain(caught(action));
      assert.equal(text.indexOf(`flipgrad: an error in ${file}:\nTypeError: Cannot read`), 0, text);
      assert.equal(code, ExitCode.badUsage);
    }
    // What we throw in what it calls is ours.
    writeFileSync(file.replace('.mjs', '2.mjs'), 'export const call = (f) => f();\n');
    const { call } = (await import(pathToFileURL(file.replace('.mjs', '2.mjs')).href)) as { call(f: () => void): void };
    const ours = explain(caught(() => call(() => (undefined as unknown as { x: number }).x)));
    assert.match(ours.text, /^flipgrad: an error of its own, not of your input:/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
