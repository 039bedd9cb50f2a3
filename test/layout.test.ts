/** Files and functions that can be read at once: outside of tests no file is longer than 300 lines, and no function than 60. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
// The compiler of the lab's tools: that of the library has no parser for programs to call.
const ts = createRequire(join(ROOT, 'lab/package.json'))('typescript');

const [MOST_OF_A_FILE, MOST_OF_A_FUNCTION] = [300, 60];

/** Longer files, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/index.ts': 'the front door: a list, one line an export',
};

const COPIED = 'its text is copied into exported files as a whole';
const TILE = 'a tile in registers: locals of one function cannot be shared with another';
/** Longer functions, and why. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'src/data/grey-picture.ts createGreyTools': COPIED,
  'src/data/picture-fitter.ts createPictureFitter': COPIED,
  'src/data/picture-ink.ts createInkFinder': COPIED,
  'src/lower/one-file-row.ts createRowReader': COPIED,
  'src/lower/portable-steps.ts createStepRunner': COPIED,
  'src/kernels/assembly/blocks-transposed.ts addTransposed': TILE,
  'src/kernels/assembly/matmul-few.ts addTurned': TILE,
};

const files = globSync(['{src,charts,cli,bench,experiments,scripts}/**/*.{ts,js}', 'lab/src/**/*.{ts,svelte}'], {
  cwd: ROOT,
})
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !/node_modules|^src\/kernels\/generated/.test(file))
  .sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

/** What is looked at of a node of a program. */
interface Node {
  readonly end: number;
  readonly body?: Node;
  readonly name?: Node;
  readonly parent?: Node;
  getStart(): number;
  getText(): string;
}

/** The functions of a file that are longer, by their name or that of what holds them. */
function longFunctions(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineAt = (place: number): number => source.getLineAndCharacterOfPosition(place).line;
  const found: string[] = [];
  const visit = (node: Node): void => {
    if (ts.isFunctionLike(node) && node.body && lineAt(node.end) - lineAt(node.getStart()) >= MOST_OF_A_FUNCTION)
      found.push(`${file} ${(node.name ?? node.parent?.name)?.getText() ?? 'without a name'}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('no file is longer than 300 lines but those that say why', () => {
  const long = files.filter((file) => (texts.get(file) as string).split('\n').length - 1 > MOST_OF_A_FILE);
  assert.deepEqual(long, Object.keys(LONG_FILES));
});

test('no function is longer than 60 lines but those that say why', () => {
  const long = files
    .filter((file) => !file.endsWith('.svelte'))
    .flatMap((file) => longFunctions(file, texts.get(file) as string));
  assert.deepEqual(long.sort(), Object.keys(LONG_FUNCTIONS).sort());
});
