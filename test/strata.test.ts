import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { zoo } from '../src/neurons/index.ts';

/**
 * Who may import whom; every stratum may import itself. A target is a stratum or one file; `types` of a target are
 * imports that are erased. The order of the lines is the order of the strata: an arrow points up the page.
 */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'src/math': [],
  'src/random': ['src/math'],
  'src/schema': ['src/math'],
  'src/kernels': ['src/math', 'src/random'],
  'src/neurons/parts': ['src/math', 'src/neurons/contract.ts', 'src/neurons/formula.ts'],
  'src/neurons/zoo': ['src/math', 'src/neurons/contract.ts', 'src/neurons/formula.ts', 'src/neurons/parts'],
  'src/neurons': ['src/math'],
  'src/backend': ['src/math', 'src/schema', 'src/kernels'],
  'src/tensor': ['src/math', 'src/schema', 'src/random', 'src/kernels', 'src/neurons', 'src/backend'],
  'src/gates': ['src/math', 'src/backend', 'src/tensor'],
  'src/nn': ['src/math', 'src/schema', 'src/random', 'src/neurons', 'src/backend', 'src/tensor', 'src/gates'],
  'src/optim': ['src/math', 'src/schema', 'src/kernels', 'src/backend'],
  'src/data': ['src/math', 'src/schema', 'src/random'],
  'src/tasks': [
    'src/math',
    'src/random',
    'src/schema',
    'src/neurons',
    'src/backend',
    'src/tensor',
    'src/nn',
    'src/data',
  ],
  'src/train': [
    'src/math',
    'src/random',
    'src/schema',
    'src/neurons',
    'src/backend',
    'src/tensor',
    'src/gates',
    'src/nn',
    'src/optim',
    'src/data',
    'src/tasks',
  ],
  'src/estimate': [
    'src/math',
    'src/schema',
    'src/random',
    'src/neurons',
    'src/kernels',
    'src/backend',
    'src/tensor',
    'src/optim',
  ],
  'src/audit': [
    'src/math',
    'src/schema',
    'src/random',
    'src/neurons',
    'src/backend',
    'src/tensor',
    'src/nn',
    'src/optim',
    'src/data',
    'src/tasks',
    'src/train',
  ],
  'src/io': ['src/math', 'src/schema', 'src/neurons', 'src/backend', 'src/tensor', 'src/nn'],
  'src/lower': [
    'src/math',
    'src/schema',
    'src/neurons',
    'src/backend',
    'src/tensor',
    'src/nn',
    'src/data',
    'src/tasks',
    'src/io',
  ],
  'src/runs': [
    'src/math',
    'src/random',
    'src/schema',
    'src/backend',
    'src/tensor',
    'src/nn',
    'src/optim',
    'src/data',
    'src/tasks',
    'src/train',
    'src/io',
  ],
  'src/index.ts': ['everything above'],
  'src/platform': ['everything above'],
  'experiments/kit': ['src/index.ts', 'src/platform/node/index.ts'],
  charts: [],
  experiments: ['src/index.ts', 'src/neurons/index.ts', 'src/platform/node/index.ts', 'charts'],
  cli: ['everything above'],
  lab: [
    'src/schema/schema.ts',
    'cli/command-line.ts',
    'src/index.ts',
    'src/neurons/index.ts',
    'src/platform/browser/index.ts',
    'experiments/kit/statistics.ts',
    'experiments/table-1/rows.ts',
  ],
};
const strata = Object.keys(arrows);

/** Only these may import node:* or use what only Node or only a browser has. */
const PLATFORM = ['src/platform', 'charts', 'cli', 'lab', 'experiments'];
/** And packages that the library itself is made with. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'src/schema': ['valibot'],
  'src/math/sha256.ts': ['@noble/hashes/sha2.js', '@noble/hashes/utils.js'],
};
const GLOBALS = /(?<![.\w])(?:process|Buffer|require|__dirname|document|window|navigator|localStorage)\b(?!\s*\??:)/;

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
/** The AssemblyScript and what is made of it are no modules of ours, nor are style sheets and records. */
const FOREIGN = /^src\/kernels\/(assembly|generated)\/|\.(css|json)(\?\w+)?$/;

interface Import {
  /** Of a relative import, the file's path from the root; else a package's name. */
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
  /** By `import()`: loaded when it is asked for. */
  readonly later: boolean;
}
interface Module {
  readonly file: string;
  readonly stratum: string;
  readonly code: string;
  readonly imports: readonly Import[];
}

/** A program's text without comments. Strings stay: specifiers are strings. */
function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (match) => (match.startsWith('/') ? ' ' : match));
}

function importsOf(file: string, code: string): Import[] {
  const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\bfrom\s+)?'([^']+)'/gm;
  const dynamic = /\bimport\(\s*()'([^']+)'/g;
  const found = (pattern: RegExp, later: boolean): Import[] =>
    [...code.matchAll(pattern)].map(([, type, specifier]) => {
      const relative = specifier.startsWith('.');
      const target = relative ? posix.join(posix.dirname(file), specifier) : specifier;
      return { target, relative, typeOnly: type !== undefined && type !== '', later };
    });
  return [...found(statement, false), ...found(dynamic, true)];
}

const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);
const stratumOf = (file: string): string => strata.find((stratum) => within(file, stratum)) ?? '';

function moduleOf(file: string, text: string): Module {
  const code = withoutComments(text);
  return { file, stratum: stratumOf(file), code, imports: importsOf(file, code) };
}

const modules = globSync('{src,charts,cli,lab,experiments}/**/*.{ts,svelte}', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !FOREIGN.test(file) && !file.includes('node_modules'))
  .sort()
  .map((file) => moduleOf(file, read(file)));

/** Why an import is not allowed; undefined when it is. */
function wrongArrow({ file, stratum }: Module, { target, typeOnly }: Import): string | undefined {
  if (stratum === '') return `${file} belongs to no stratum: add its folder to the table of test/strata.test.ts`;
  if (within(target, stratum)) return undefined;
  const above = strata.slice(0, strata.indexOf(stratum));
  const allowed = arrows[stratum].some((arrow) => {
    if (arrow === 'everything above') return above.some((other) => within(target, other));
    return arrow.startsWith('types of ') ? typeOnly && target === arrow.slice(9) : within(target, arrow);
  });
  return allowed
    ? undefined
    : `${file} imports ${target}, but ${stratum} may import only: ${arrows[stratum].join(', ') || 'nothing'}`;
}

const wrongArrows = (all: readonly Module[]): string[] =>
  all.flatMap((module) =>
    module.imports.filter(({ relative }) => relative).flatMap((entry) => wrongArrow(module, entry) ?? []),
  );

/** Uses of what only a platform has, and of packages, outside the places for them. */
function wrongSurroundings({ file, code, imports }: Module): string[] {
  if (PLATFORM.some((place) => within(file, place))) return [];
  const known = Object.entries(PACKAGES).flatMap(([place, names]) => (within(file, place) ? names : []));
  const foreign = imports
    .filter(({ relative, target }) => !relative && !known.includes(target))
    .map(({ target }) => `${file} imports ${target}`);
  const bare = code.replace(/'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g, "''");
  const used = bare.split('\n').filter((line) => GLOBALS.test(line));
  return [...foreign, ...used.map((line) => `${file} uses what only a platform has: ${line.trim()}`)];
}

/** Places that branch on which neuron it is. */
function wrongBranches({ file, code }: Module): string[] {
  if (within(file, 'src/neurons')) return [];
  const names = Object.keys(zoo).join('|');
  const patterns = [
    /neuron\w*\??\.name\s*[!=]==?/i,
    /[!=]==?\s*[\w.]*neuron\w*\??\.name/i,
    /switch\s*\(\s*[\w.]*neuron\w*(?:\??\.name)?\s*\)/i,
    new RegExp(`(?:[!=]==?|\\bcase)\\s*'(?:${names})'`),
    new RegExp(`'(?:${names})'\\s*[!=]==?`),
  ];
  const lines = code.split('\n').filter((line) => patterns.some((pattern) => pattern.test(line)));
  return lines.map((line) => `${file} branches on a neuron's name: ${line.trim()}`);
}

/** The first cycle of imports that are there when the program runs, as the files of it in order. */
function findCycle(all: readonly Module[]): string[] | undefined {
  const byFile = new Map(all.map((module) => [module.file, module]));
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    for (const { target, typeOnly } of byFile.get(file)?.imports ?? []) {
      const cycle = typeOnly ? undefined : visit(target, [...path, file]);
      if (cycle) return cycle;
    }
    return undefined;
  };
  for (const { file } of all) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The first way from a file into a folder by imports that are there once the file is loaded, as the files of it in order. */
function wayInto(all: readonly Module[], start: string, folder: string): string[] | undefined {
  const byFile = new Map(all.map((module) => [module.file, module]));
  const seen = new Set<string>();
  const visit = (file: string): string[] | undefined => {
    if (within(file, folder)) return [file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const { target, typeOnly, later } of byFile.get(file)?.imports ?? []) {
      const way = typeOnly || later ? undefined : visit(target);
      if (way) return [file, ...way];
    }
    return undefined;
  };
  return visit(start);
}

/** Groups of files whose imports lead from each to each other one, those of types counted: every group with its files in order. */
function circlesOf(all: readonly Module[]): string[] {
  const byFile = new Map(all.map((module) => [module.file, module]));
  const [numbers, lowest, path] = [new Map<string, number>(), new Map<string, number>(), [] as string[]];
  const groups: string[][] = [];
  // Source: Tarjan 1972.
  const visit = (file: string): void => {
    const own = numbers.size;
    numbers.set(file, own);
    lowest.set(file, own);
    path.push(file);
    for (const { target } of byFile.get(file)?.imports ?? []) {
      if (!byFile.has(target)) continue;
      if (!numbers.has(target)) visit(target);
      if (path.includes(target)) lowest.set(file, Math.min(lowest.get(file) as number, lowest.get(target) as number));
    }
    if (lowest.get(file) === own) groups.push(path.splice(path.indexOf(file)));
  };
  for (const { file } of all) if (!numbers.has(file)) visit(file);
  return groups.filter((group) => group.length > 1).map((group) => group.sort().join(' '));
}

/** Circles that types close, by the first of their files, and how many files they have: fewer is better, more is a fault. */
const TYPE_CIRCLES: Readonly<Record<string, number>> = {
  'cli/audit-net.ts': 11,
  'src/backend/backend.ts': 7,
  'src/nn/affine.ts': 25,
  'src/nn/firing-site.ts': 3,
  'src/runs/own.ts': 2,
  'src/tensor/define-op.ts': 8,
};

describe('the strata', () => {
  test('arrows point from higher to lower', () => assert.deepEqual(wrongArrows(modules), []));

  test('only the platform and what stands on it know where they run, and the library needs no package but for settings and checksums', () =>
    assert.deepEqual(
      modules.flatMap((module) => wrongSurroundings(module)),
      [],
    ));

  test("nothing outside the zoo branches on a neuron's name", () =>
    assert.deepEqual(
      modules.flatMap((module) => wrongBranches(module)),
      [],
    ));

  test('no imports go round in a circle', () => assert.equal(findCycle(modules)?.join(' → '), undefined));

  test('types close no circle but those that are known', () => {
    const found = circlesOf(modules).map((group) => group.split(' '));
    assert.deepEqual(
      found.flatMap((group) => (group.length <= (TYPE_CIRCLES[group[0]] ?? 0) ? [] : [group.join(' → ')])),
      [],
    );
    // A circle that is gone leaves the table.
    assert.deepEqual(found.map(([first]) => first).sort(), Object.keys(TYPE_CIRCLES).sort());
  });

  // docs/decisions/2026-11-29-pictures-are-drawn-by-plot-on-linkedom.md
  test('no command loads what draws before it draws', () => {
    const program = modules.find(({ file }) => file === 'cli/program.ts') ?? assert.fail();
    const commands = program.imports.filter(({ later }) => later).map(({ target }) => target);
    assert.ok(commands.length > 10);
    for (const file of ['cli/main.ts', 'cli/program.ts', ...commands])
      assert.equal(wayInto(modules, file, 'charts')?.join(' → '), undefined);
  });

  test('docs/design.md lists them in this order, without those inside others', () => {
    const [, list] = /^## Floors\n[\s\S]*?```text\n([\s\S]*?)```/m.exec(read('docs/design.md')) ?? assert.fail();
    const inside = (stratum: string) => strata.some((other) => other !== stratum && within(stratum, other));
    assert.deepEqual(
      list.trim().split('\n'),
      strata.filter((stratum) => !inside(stratum)),
    );
  });

  test('relative imports name files that exist', () => {
    const files = new Set(modules.map(({ file }) => file));
    const missing = modules.flatMap(({ file, imports }) =>
      imports
        .filter(({ relative, target }) => relative && !files.has(target) && !FOREIGN.test(target))
        .map(({ target }) => `${file} imports ${target}`),
    );
    assert.deepEqual(missing, []);
  });
});

describe('the rules above see what they should', () => {
  test('strata were read, and imports found in them', () => {
    for (const stratum of ['src/math', 'src/kernels', 'src/backend', 'src/tensor', 'src/neurons', 'src/platform'])
      assert.ok(
        modules.some((module) => module.stratum === stratum && (stratum === 'src/math' || module.imports.length > 0)),
        stratum,
      );
  });

  test('every form of import is seen, and comments are not', () => {
    const text = `
      import { a } from './a.ts';
      import type { B } from '../b/b.ts';
      import {
        c,
        type D,
      } from '../c.ts';
      export * from './e.ts';
      export { type F } from 'f';
      import './g.ts';
      const h = await import('./h.ts');
      // import { x } from './x.ts';
      /* import { y } from './y.ts'; */
      const url = 'https://example.org';
      import { i } from './i.ts';`;
    const seen = moduleOf('src/math/m.ts', text).imports.map(({ target, typeOnly }) => [target, typeOnly]);
    assert.deepEqual(seen, [
      ['src/math/a.ts', false],
      ['src/b/b.ts', true],
      ['src/c.ts', false],
      ['src/math/e.ts', false],
      ['f', false],
      ['src/math/g.ts', false],
      ['src/math/i.ts', false],
      ['src/math/h.ts', false],
    ]);
  });

  const judge = (file: string, text: string): string[] => {
    const module = moduleOf(file, text);
    return [...wrongArrows([module]), ...wrongSurroundings(module), ...wrongBranches(module)];
  };

  test('what is allowed passes', () => {
    for (const [file, text] of [
      ['src/tensor/a.ts', "import type { Neuron } from '../neurons/contract.ts';"],
      ['src/train/a.ts', "import { b } from '../nn/b.ts';"],
      ['src/index.ts', "export { b } from './train/b.ts';"],
      ['src/platform/node/a.ts', "import { readFile } from 'node:fs'; import { b } from '../../data/b.ts';"],
      ['cli/a.ts', "import { b } from '../src/platform/node/index.ts'; process.exit();"],
      ['experiments/a.ts', "import { b } from '../src/index.ts';"],
      ['src/train/a.ts', 'const sentence = `the window of a neuron`; const shape = { window: 3 }; x.process();'],
    ])
      assert.deepEqual(judge(file, text), [], text);
  });

  test('what is not allowed is reported once', () => {
    for (const [file, text] of [
      ['src/math/a.ts', "import { b } from '../random/b.ts';"],
      ['src/backend/a.ts', "import type { B } from '../neurons/index.ts';"],
      ['src/neurons/a.ts', "import { b } from '../backend/b.ts';"],
      ['src/neurons/parts/a.ts', "import { b } from '../zoo/b.ts';"],
      ['experiments/kit/a.ts', "import { b } from '../table-1/trial.ts';"],
      ['src/index.ts', "export * from './platform/node/index.ts';"],
      ['src/train/a.ts', "import { b } from '../platform/node/b.ts';"],
      ['src/train/a.ts', "import { b } from '../../cli/b.ts';"],
      ['experiments/a.ts', "import { b } from '../src/train/b.ts';"],
      ['src/nowhere/a.ts', "import { b } from '../math/b.ts';"],
      ['src/data/a.ts', "import { readFile } from 'node:fs';"],
      ['src/index.ts', "export { parse } from 'csv-parse';"],
      ['src/data/a.ts', "const bytes = Buffer.from('x');"],
      ['src/train/a.ts', 'if (navigator.gpu) run();'],
      ['src/train/a.ts', "if (site.neuron.name === 'x') run();"],
      ['src/train/a.ts', "if (name === 'straight-through') run();"],
      ['src/train/a.ts', 'switch (neuron.name) {'],
      ['cli/a.ts', "  case 'stochastic-binary':"],
      ['lab/a.ts', "import { b } from '../src/train/b.ts';"],
      ['lab/a.ts', "import { b } from '../src/platform/node/index.ts';"],
    ])
      assert.equal(judge(file, text).length, 1, text);
  });

  test('a way into a folder is found and told in order; imports of types, and those for later, are none', () => {
    const way = (text: string) =>
      wayInto(
        [moduleOf('cli/a.ts', "import { b } from './b.ts';"), moduleOf('cli/b.ts', text)],
        'cli/a.ts',
        'charts',
      )?.join(' → ');
    assert.equal(way("import { c } from '../charts/c.ts';"), 'cli/a.ts → cli/b.ts → charts/c.ts');
    assert.equal(way("import type { C } from '../charts/c.ts';"), undefined);
    assert.equal(way("const { c } = await import('../charts/c.ts');"), undefined);
  });

  test('a cycle is found and told in order; one of types only is none', () => {
    const cycle = (keyword: string) => [
      moduleOf('src/math/a.ts', "import { b } from './b.ts';"),
      moduleOf('src/math/b.ts', "import { c } from './c.ts';"),
      moduleOf('src/math/c.ts', `${keyword} { b } from './b.ts';`),
    ];
    assert.deepEqual(findCycle(cycle('import')), ['src/math/b.ts', 'src/math/c.ts', 'src/math/b.ts']);
    assert.equal(findCycle(cycle('import type')), undefined);
    // Where types count it is one, and a is not of it.
    for (const keyword of ['import', 'import type'])
      assert.deepEqual(circlesOf(cycle(keyword)), ['src/math/b.ts src/math/c.ts']);
  });
});
