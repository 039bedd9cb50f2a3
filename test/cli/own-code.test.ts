/** Networks and neurons of the user's own from the command line: every command takes them, and no run folder makes anybody run code. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { adviseCommand } from '../../cli/advise.ts';
import { auditCommand } from '../../cli/audit.ts';
import { checksum } from '../../cli/certificate.ts';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { raceCommand } from '../../cli/race.ts';
import { showCommand } from '../../cli/show.ts';
import { trainCommand } from '../../cli/train.ts';
import { full, slow } from '../helpers/extent.ts';
import { runHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';
import { inTerminal, noTerminal } from '../helpers/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-own-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

const data = twoClasses(path('two.csv'));

const NEURON = (name: string, more = ''): string => `
import { defineNeuron, fireEach, pullbackEach } from 'flipgrad';
globalThis.ran = (globalThis.ran ?? 0) + 1;
export const ${name.replaceAll('-', '')} = defineNeuron({
  name: '${name}', source: 'a test', summary: 'h = max(0, a)/by',
  options: { by: { minimum: 1, maximum: 9, default: 2, meaning: 'divisor' } },
  rule: ({ by }) => ({
    noise: 0, reads: 'cotangent', range: 'non-negative', claims: { unbiased: true }, formulas: 'none',
    fire: fireEach((a) => Math.max(0, a) / by), pullback: pullbackEach((a) => (a > 0 ? 1 / by : 0)),
    expect: (a) => Math.max(0, a) / by, whenOpen: (a) => Math.max(0, a) / by,
  }),
});
${more}`;

/** A network with an operation, a module and a neuron of its own. */
const NET = NEURON(
  'half',
  `
import { dense, module, residual } from 'flipgrad';
import { add, defineOp, tanh } from 'flipgrad/tensor';
const block = module('block', (scope, x) => add(tanh(x), scope.fire('half:by=3', scope.call(dense(8), x))));
export default ({ classes, neuron }: { classes: number; neuron: string }) =>
  [dense(8, 'half', 'in'), residual(block), dense(8, neuron, 'bits'), dense(classes, 'linear', 'out')];
export const plain = [dense(8, 'tanh'), residual(dense(8, 'rectifier'))];
export const fixed = module('fixed', (scope, x) => scope.call(dense(2), x));
`,
);
const file = (name: string, text: string): string => {
  writeFileSync(path(name), text);
  return path(name);
};
const net = file('net.ts', NET);
const use = file('neurons.ts', NEURON('third', 'export const neurons = [third];'));

const COMMANDS = {
  train: trainCommand,
  evaluate: evaluateCommand,
  predict: predictCommand,
  export: exportCommand,
  audit: auditCommand,
  advise: adviseCommand,
  race: raceCommand,
  show: showCommand,
};

/** Runs a command here; its lines of JSON. */
async function run(name: keyof typeof COMMANDS, ...args: string[]): Promise<Record<string, never>[]> {
  const { code, stdout, stderr } = await runHere(COMMANDS[name](), args);
  assert.equal(code, 0, `${name} ${args.join(' ')}: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

async function refused(name: keyof typeof COMMANDS, message: RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await runHere(COMMANDS[name](), args);
  assert.equal(code, 2, `${name} ${args.join(' ')} is not refused`);
  assert.match(stderr, message);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
}

/** What it tells after what was understood of the table. */
const train = async (runFolder: string, ...more: string[]) => {
  const [{ event }, ...lines] = await trainTold(runFolder, ...more);
  assert.equal(event, 'data');
  return lines;
};
const trainTold = (runFolder: string, ...more: string[]) =>
  run(
    'train',
    ...['--data', data, '--batch', '20', '--threads', '1', '--run', runFolder],
    ...(more.includes('--epochs') ? more : ['--epochs', '2', ...more]),
  );
const recordOf = (runFolder: string) => JSON.parse(readFileSync(join(runFolder, 'run.json'), 'utf8'));
const weights = (runFolder: string): Buffer => readFileSync(join(runFolder, 'weights.safetensors'));
const ranSoFar = (): number => (globalThis as { ran?: number }).ran ?? 0;

describe('flipgrad train --layers', () => {
  it('trains a deep chain, adds the layer to the classes and says so, and records the text', async () => {
    const out = path('layers');
    const [network, { event }] = await train(
      out,
      '--layers',
      ' dense 8 rectifier,gated 16/4 noisy-top-k 25%,residual( dense 16 tanh ), dense 3',
    );
    assert.deepEqual([network.event, network.added, event], ['network', 'output: dense 2', 'run']);
    const { config, model, own } = recordOf(out);
    assert.equal(
      config.layers,
      'dense 8 rectifier, gated 16/4 noisy-top-k 25% linear, residual(dense 16 tanh), dense 3',
    );
    assert.deepEqual([config.model, config.units, config.neuron, own], ['layers', undefined, undefined, undefined]);
    assert.equal(model.layers.length, 5);
    // Nothing but the folder is needed from here on.
    assert.equal((await run('evaluate', out)).length, 4);
    await run('train', '--resume', out, '--epochs', '3', '--layers', config.layers);
    await refused(
      'train',
      /--layers is .*dense 4.* here and .*dense 8 rectifier/,
      '--resume',
      out,
      '--layers',
      'dense 4',
    );
    if (!full) return;
    const lines = await run('advise', '--run', out, '--seconds', '4', '--neuron', 'noisy-top-k,rloo', '--threads', '1');
    assert.ok(['noisy-top-k', 'rloo'].includes(lines[0].neuron));
  });

  it('adds nothing where the network ends in linear units of the classes', async () => {
    const [network] = await train(path('whole'), '--layers', 'dense 8 rectifier, dense 2');
    assert.equal(network.added, undefined);
    const [added] = await train(path('not-linear'), '--layers', 'dense 8 rectifier, dense 2 tanh');
    assert.equal(added.added, 'output: dense 2');
  });

  it('prints for people what was understood', { skip: noTerminal }, async () => {
    const args = ['train', '--data', data, '--epochs', '1', '--run', 'none', '--layers', 'dense 4 tanh,gated 8/2'];
    const { code, text } = await inTerminal(args, { columns: 200 }).end;
    assert.equal(code, 0, text);
    assert.match(
      text,
      /two.csv: 4 → dense 4 tanh → gated 8\/2 straight-through 10% linear → output: dense 2 → 2 classes;/,
    );
    assert.match(text, /Added at the end, for the outputs: output: dense 2\./);
  });

  for (const [args, message] of [
    [
      ['--layers', 'dense 8 rectifir'],
      /^flipgrad: --layers: at character 9: There is no neuron "rectifir". Did you mean "rectifier"\?/,
    ],
    [['--layers', 'dense 8 half'], /at character 9: There is no neuron "half"/],
    [
      ['--layers', 'dense 8', '--units', '3'],
      /--layers and --units both say what the network is\. Expected one of them\./,
    ],
    [['--layers', 'dense 8', '--model', 'dense'], /--layers and --model both say/],
    [['--layers', 'dense 8', '--net', net], /--layers and --net both say/],
    [['--layers', 'dense 8', '--preset', 'bengio-2013'], /--layers and --preset both say/],
    [['--net', net, '--rate', '0.1'], /--net and --rate both say/],
    [
      ['--layers', 'residual(dense 8)'],
      /adds what its module gives, of the shape \[8\], to its input of the shape \[4\]/,
    ],
    [['--layers', 'gated 9/4'], /9 units cannot be divided into 4 equal blocks/],
  ] as const)
    it(`refuses ${args.join(' ')}`, async () => {
      const out = path('no-folder');
      await refused('train', message, '--data', data, '--run', out, ...args);
      assert.equal(existsSync(out), false);
    });
});

describe('a network of a file', () => {
  const out = path('own');
  const again = ['--net', net];
  before(() => train(out, ...again, '--neuron', 'stochastic-binary'));

  it('is recorded with its path, its export and its checksum', async () => {
    const { own, model, config } = recordOf(out);
    assert.equal(own.length, 1);
    assert.match(own[0].sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual({ ...own[0], sha256: '' }, { file: net, sha256: '', network: 'default', neurons: ['half'] });
    assert.deepEqual(
      [config.model, config.net, config.neuron, config.units],
      ['net', net, 'stochastic-binary', undefined],
    );
    assert.deepEqual(model.layers[1], { layer: 'own', name: 'residual1' });
    assert.equal((await run('show', out))[0].folder, out);
  });

  it('is taken by every command on runs when it is named again', { skip: slow }, async () => {
    const { result } = recordOf(out);
    const modes = await run('evaluate', out, ...again, '--threads', '1');
    assert.equal(modes.find(({ mode }) => mode === 'threshold')?.error, result.testError.threshold);
    const [answer] = await run('predict', out, data, ...again);
    assert.equal(typeof answer.class, 'number');
    await run('export', out, ...again, '--format', 'safetensors');
    assert.ok(existsSync(join(out, 'model.safetensors')));
    const small = ['--repeats', '8', '--rows', '8', '--threads', '1'];
    const audited = await run('audit', '--run', out, ...again, '--neuron', 'rloo,straight-through', ...small);
    assert.deepEqual(audited.flatMap(({ neuron, event }) => (event === 'neuron' ? [neuron] : [])).sort(), [
      'rloo',
      'straight-through',
    ]);
    const [advice] = await run(
      'advise',
      '--run',
      out,
      ...again,
      '--seconds',
      '4',
      '--neuron',
      'rloo,straight-through',
      '--threads',
      '1',
    );
    assert.ok(['rloo', 'straight-through'].includes(advice.neuron));
  });

  it('goes on to the bytes of an uninterrupted run, from anywhere', { skip: slow }, async () => {
    const whole = path('own-whole');
    await train(whole, ...again, '--neuron', 'stochastic-binary', '--epochs', '4');
    mkdirSync(path('elsewhere'));
    const moved = file('elsewhere/moved.ts', NET);
    await run('train', '--resume', out, '--net', moved, '--epochs', '4', '--threads', '1');
    assert.ok(weights(out).equals(weights(whole)));
  });

  it('is refused where it is not named, is another one, or is not there', async () => {
    const before = readFileSync(join(out, 'run.json'));
    const changed = file('changed.ts', `${NET}\n// changed\nglobalThis.changed = true;\n`);
    const begins: [keyof typeof COMMANDS, string[]][] = [
      ['evaluate', [out]],
      ['predict', [out, data]],
      ['export', [out]],
      ['audit', ['--run', out]],
      ['advise', ['--run', out]],
      ['train', ['--resume', out, '--epochs', '6']],
    ];
    for (const [name, args] of begins) {
      await refused(
        name,
        /network of .* is a function in .*net\.ts \(export default\).* Expected --net FILE with that file\./,
        ...args,
      );
      await refused(
        name,
        /changed\.ts is not the file that .* began with: its SHA-256 is [0-9a-f]{12}…, and was [0-9a-f]{12}…\. Expected the same file, or --any-code/,
        ...args,
        '--net',
        changed,
      );
      await refused(
        name,
        /There is no file .*nothing\.ts\. Expected a TypeScript or JavaScript file that exports a network/,
        ...args,
        '--net',
        path('nothing.ts'),
      );
      await refused(
        name,
        /trains the export "default" of .*, and "plain" is asked for\. Expected --net .*net\.ts#default/,
        ...args,
        '--net',
        `${net}#plain`,
      );
    }
    assert.equal((globalThis as { changed?: boolean }).changed, undefined, 'the changed file was run');
    assert.deepEqual(readFileSync(join(out, 'run.json')), before);
    assert.equal((await run('evaluate', out, '--net', changed, '--any-code')).length, 4);
  });

  it('that is all shipped layers stands in the record, and needs no file again', async () => {
    const plain = path('plain');
    const [network] = await train(plain, '--net', `${net}#plain`);
    assert.equal(network.added, 'output: dense 2');
    rmSync(path('gone.ts'), { force: true });
    assert.equal((await run('evaluate', plain)).length, 4);
    assert.equal((await run('evaluate', plain, '--net', `${net}#plain`)).length, 4);
    await train(path('fixed'), '--net', `${net}#fixed`);
  });

  for (const [name, text, message] of [
    [
      'none',
      'export const answer = 42;',
      /exports no network\. Expected a module, layers, or a function of \(\{ inputs, classes, neuron \}\)/,
    ],
    ['number', 'export default 42;', /The export "default" of .*number\.ts is 42\. Expected a module/],
    [
      'several',
      'export const a = [{ layer: "dense", units: 2 }], b = a;',
      /exports several networks\. Expected one of them after #, as .*several\.ts#a\. Networks there: a, b/,
    ],
    [
      'function',
      'export default (scope, x) => x;',
      /is a function of 2 values, as `module\('name', \(scope, x\) => …\)` takes one/,
    ],
    ['class', 'export default class Net {}', /The export "default" of .*class\.ts is a class\. Expected a module/],
    ['promise', 'export default async () => [];', /The export "default" of .*promise\.ts gave a promise\./],
    [
      'endless',
      'const own = { layer: "residual" }; own.module = own; export default [own];',
      /stands in more than 99 modules\. Expected fewer; a module that holds itself has no end\./,
    ],
    ['gives', 'export default () => "dense";', /The export "default" of .*gives\.ts gave "dense"\. Expected a module/],
    ['unknown', 'export default [{ layer: "dens", units: 2 }];', /There is no layer "dens"\. Did you mean "dense"/],
    ['syntax', 'export default [;', /syntax\.ts cannot be run/],
    ['thrown', "throw 'a word';", /thrown\.ts cannot be run: a word$/m],
    ['nothing', 'throw null;', /nothing\.ts cannot be run: null$/m],
    [
      'narrow',
      "import { module } from 'flipgrad'; export default module('same', (_scope, x) => x);",
      /The network of .*narrow\.ts has 4 outputs, and .* has 2 classes/,
    ],
    [
      'clash',
      NEURON('rloo', 'export default [{ layer: "dense", units: 2 }];'),
      /exports a neuron "rloo", as a shipped one is called\. Expected another name/,
    ],
    ['spaced', NEURON('third').replace("name: 'third'", "name: 'my third'"), /"my third", which no text can ask for/],
  ] as const)
    it(`is refused: ${name}`, async () => {
      const args = name === 'spaced' ? ['--use', file(`${name}.ts`, text)] : ['--net', file(`${name}.ts`, text)];
      await refused('train', message, '--data', data, '--run', path('no-folder'), ...args);
      assert.equal(existsSync(path('no-folder')), false);
    });

  it('an export that is not there', () =>
    refused(
      'train',
      /has no export "deep"\. Networks there: default, fixed, plain/,
      '--data',
      data,
      '--net',
      `${net}#deep`,
    ));
});

describe('neurons of a file', () => {
  const out = path('third');
  before(() => train(out, '--use', use, '--model', 'dense', '--units', '8', '--neuron', 'third:by=4'));

  it('are known by name in train, --layers, --probe-estimators, race, audit and advise', { skip: slow }, async () => {
    const { own, config } = recordOf(out);
    assert.deepEqual([config.neuron, own[0].neurons, own[0].network], ['third:by=4', ['third'], undefined]);
    const layers = ['--use', use, '--layers', 'dense 8 stochastic-binary, dense 8 third'];
    const [, , epoch] = await train(
      path('probe'),
      ...layers,
      '--probe-estimators',
      'third:by=3',
      '--probe-estimators-every',
      '5',
    );
    assert.equal((epoch.estimatorProbe as { neuron: string }[])[1].neuron, 'third:by=3');
    await refused('evaluate', /has neurons of .*neurons\.ts \(third\).* Expected --use FILE/, path('probe'));
    const raced = await run(
      'race',
      '--data',
      data,
      '--examples',
      '60',
      '--valid',
      '20',
      '--use',
      use,
      '--neuron',
      'third:by=1,rectifier',
      '--budget',
      '4',
      '--points',
      '1',
      '--seeds',
      '1',
      '--threads',
      '1',
    );
    assert.deepEqual(raced.flatMap(({ event, arm, point }) => (event === 'point' && point === 1 ? [arm] : [])).sort(), [
      'rectifier',
      'third:by=1',
    ]);
    const [audited] = await run('audit', '--use', use, '--neuron', 'third:by=2', '--units', '2');
    assert.equal(audited.neuron, 'third:by=2');
  });

  it('are asked for again by commands on the run', async () => {
    await refused(
      'evaluate',
      /third has neurons of .*neurons\.ts \(third\), and no folder of a run makes this program run code\. Expected --use FILE/,
      out,
    );
    assert.equal((await run('evaluate', out, '--use', use)).length, 4);
    await run('train', '--resume', out, '--use', use, '--epochs', '3');
    const other = file('other.ts', `${NEURON('third')}\n`);
    await refused('evaluate', /other\.ts is not the file that .* began with/, out, '--use', other);
    assert.equal((await run('evaluate', out, '--use', other, '--any-code')).length, 4);
  });

  it('two of one name are refused', () =>
    refused(
      'train',
      /Two files have a neuron "third"; .*other\.ts is the second/,
      '--data',
      data,
      '--use',
      use,
      '--use',
      path('other.ts'),
    ));
});

describe('a path in the place of a name', () => {
  const other = file('fourth.ts', NEURON('fourth'));
  const task = file(
    'task.ts',
    "import { classification } from 'flipgrad';\nexport default { ...classification, name: 'told' };\n",
  );
  const small = ['--model', 'dense', '--units', '8'];

  it('is that of the neuron or the task of the file, in train, race, audit and advise', async () => {
    const out = path('by-path');
    await train(out, ...small, '--neuron', `${other}:by=4`, '--task', task, '--epochs', '1');
    const { config, own, task: recorded } = recordOf(out);
    assert.deepEqual([config.neuron, recorded.name], ['fourth:by=4', 'told']);
    assert.deepEqual(
      own.map((entry: { neurons: string[]; tasks?: string[] }) => [entry.neurons, entry.tasks]),
      [
        [['fourth'], undefined],
        [[], ['told']],
      ],
    );
    await run('train', '--resume', out, '--neuron', `${other}:by=4`, '--task', task, '--epochs', '2');
    const race = [
      '--data',
      data,
      '--examples',
      '20',
      '--valid',
      '10',
      '--budget',
      '2',
      '--points',
      '1',
      '--seeds',
      '1',
    ];
    const raced = await run('race', ...race, '--neuron', `${other},${other}:by=3*2`, '--threads', '1');
    const { standings } = raced.at(-1) as unknown as { standings: { arm: string }[] };
    assert.deepEqual(
      standings.map(({ arm }) => arm),
      ['fourth', 'fourth:by=3*2'],
    );
    const advised = ['--data', data, ...small, '--seconds', '1', '--seeds', '3', '--threads', '1'];
    assert.equal((await run('advise', ...advised, '--neuron', other)).at(-1)?.neuron, 'fourth');
    const [audited] = await run('audit', '--neuron', `${other}:by=2`, '--units', '1', '--samples', '200');
    assert.equal(audited.neuron, 'fourth:by=2');
  });

  it('is one file however it is spelt, by a link too', async () => {
    const again = `${folder}/./fourth.ts`;
    const linked = path('linked.ts');
    symlinkSync(other, linked);
    const both = file('both.ts', `${NEURON('both')}\n${readFileSync(task, 'utf8').replace("'told'", "'told-too'")}`);
    const given = [...small, '--epochs', '1'];
    await train('none', ...given, '--use', other, '--neuron', `${again}:by=3`);
    await train('none', ...given, '--use', other, '--use', again, '--use', linked, '--neuron', 'fourth');
    await train('none', ...given, '--neuron', both, '--task', `${folder}/./both.ts`);
    const certificate = path('spelt.json');
    const judged = ['--neuron', `${other}:by=1,${linked}:by=2`, '--units', '1', '--samples', '200'];
    const rows = await run('audit', again, ...judged, '--out', certificate);
    assert.ok(rows.some(({ neuron }) => neuron === 'fourth:by=1'));
    assert.equal(JSON.parse(readFileSync(certificate, 'utf8')).sources.length, 1);
  });

  it('a classifier of one’s own is audited by its own loss, and advice is for the shipped one', async () => {
    const counting = file(
      'counting.ts',
      `import { classification } from 'flipgrad';
      const run = (...given) => {
        globalThis.toldOwn = (globalThis.toldOwn ?? 0) + 1;
        return classification.run(...given);
      };
      export default { ...classification, name: 'counting', run };`,
    );
    const out = path('counting');
    await train(out, '--model', 'dense', '--units', '4', '--neuron', 'stochastic-binary', '--task', counting);
    const { toldOwn: trained } = globalThis as { toldOwn?: number };
    const few = ['--repeats', '8', '--rows', '8', '--threads', '1'];
    const [audited] = await run('audit', '--run', out, '--use', counting, '--neuron', 'straight-through', ...few);
    assert.equal(audited.neuron, 'straight-through');
    assert.ok(((globalThis as { toldOwn?: number }).toldOwn ?? 0) >= (trained ?? 0) + 8, 'by another loss');
    await refused(
      'advise',
      /is a run of the task "counting"\. Expected a run of the task "classification"\./,
      ...['--run', out, '--use', counting, '--seconds', '1'],
    );
  });

  it('is refused where the file has none, or several', async () => {
    const several = file('several-neurons.ts', `${NEURON('fifth')}\n${NEURON('sixth').replace(/import.*\n/, '')}`);
    const given = ['--data', data, ...small, '--run', path('no-folder')];
    await refused(
      'train',
      /task\.ts exports no neuron\. Expected a value made by `defineNeuron`, exported by name or as default\./,
      ...given,
      '--neuron',
      task,
    );
    await refused('train', /fourth\.ts exports no task\. Expected one\./, ...given, '--task', other);
    await refused(
      'train',
      /exports several neurons: fifth, sixth\. Expected --use .*, and the name of one as --neuron/,
      ...given,
      '--neuron',
      several,
    );
    await refused(
      'train',
      /There is no file nothing\.mjs\. Expected .* exports a task/,
      ...given,
      '--task',
      'nothing.mjs',
    );
    await refused(
      'train',
      /exports neither a neuron nor a task\. .*, or its network by --net .*only-net\.ts/,
      ...given,
      '--use',
      file('only-net.ts', "export default [{ layer: 'dense', units: 2 }];\n"),
    );
    assert.equal(existsSync(path('no-folder')), false);
  });
});

describe('a run folder of a stranger', () => {
  /** A run whose record names a program that leaves a trace when it is run. */
  function hostile(
    name: string,
    change: (record: ReturnType<typeof recordOf>, trap: string) => void,
  ): { out: string; trap: string; trace: string } {
    const out = path(name);
    cpSync(path('own'), out, { recursive: true });
    const trace = join(out, 'trace');
    const trap = join(out, 'trap.mjs');
    writeFileSync(
      trap,
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(trace)}, 'ran'); export default () => [];`,
    );
    const record = recordOf(out);
    change(record, trap);
    writeFileSync(join(out, 'run.json'), JSON.stringify(record));
    return { out, trap, trace };
  }

  it('makes no command run the code that it names', async () => {
    const ways: [string, (record: ReturnType<typeof recordOf>, trap: string) => void][] = [
      ['network', (record, trap) => Object.assign(record.own[0], { file: trap })],
      ['neurons', (record, trap) => record.own.push({ file: trap, sha256: '', neurons: ['stochastic-binary'] })],
      ['config', (record, trap) => Object.assign(record.config, { net: trap, use: [trap] })],
      [
        'layers',
        (record, trap) => {
          delete record.own;
          record.model.layers[1] = { layer: 'own', name: 'residual1', module: trap, file: trap };
        },
      ],
    ];
    for (const [name, change] of ways) {
      const { out, trace } = hostile(`hostile-${name}`, change);
      const before = ranSoFar();
      for (const [command, args] of [
        ['evaluate', [out]],
        ['predict', [out, data]],
        ['export', [out]],
        ['audit', ['--run', out]],
        ['advise', ['--run', out]],
        ['train', ['--resume', out, '--epochs', '9']],
      ] as const)
        await refused(command, /--net FILE|--use FILE|no neuron "half"|was trained with/, ...args);
      await run('show', out);
      assert.equal(existsSync(trace), false, `${name}: the program was run`);
      assert.equal(ranSoFar(), before, `${name}: a program was run`);
    }
  });

  it('chooses no function of the file that the user names', async () => {
    const victim = file('victim.ts', `${NET}\nexport const wipe = () => { globalThis.wiped = true; return []; };\n`);
    const sha256 = checksum(victim);
    const { out } = hostile('hostile-export', (record) => Object.assign(record.own[0], { sha256, network: 'wipe' }));
    await refused(
      'evaluate',
      /trains the export "wipe" of .*victim\.ts, and "default" is asked for/,
      out,
      '--net',
      victim,
    );
    assert.equal((globalThis as { wiped?: boolean }).wiped, undefined);
  });

  for (const [name, own, message] of [
    ['a text', 'x', /`own` of .* is "x"\. Expected a list/],
    ['numbers', [1], /`own\[0\]` of .* is 1\. Expected an object/],
    ['no file', [{ sha256: '', neurons: [] }], /`own\[0\]\.file` of .* is not there\. Expected a text/],
    [
      'names that are none',
      [{ file: '', sha256: '', neurons: [{}] }],
      /`own\[0\]\.neurons\[0\]` of .* is \{\}\. Expected a text/,
    ],
    [
      'too many',
      Array(101).fill({ file: '', sha256: '', neurons: [] }),
      /`own` of .* has 101 entries\. Expected 100 at most/,
    ],
  ] as const)
    it(`with ${name} for its files is refused`, async () => {
      const { out } = hostile(`hostile-own-${name}`, (record) => Object.assign(record, { own }));
      await refused('evaluate', message, out);
      await refused('show', message, out);
    });
});

describe('a file in TypeScript on a Node that does not run it', () => {
  it('says what was expected', async () => {
    const features = Object.getOwnPropertyDescriptor(process.features, 'typescript');
    assert.ok(features);
    Object.defineProperty(process.features, 'typescript', { value: false, configurable: true });
    try {
      await refused(
        'train',
        /net\.ts is TypeScript, which Node v\d+\.\d+\.\d+ does not run\. Expected a \.js or \.mjs file, or Node 22\.18 or newer\./,
        '--data',
        data,
        '--net',
        net,
      );
    } finally {
      Object.defineProperty(process.features, 'typescript', features);
    }
    assert.equal(readdirSync(folder).includes('runs'), false);
  });
});
