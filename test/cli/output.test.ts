/** Output whose reader goes away, whose disk is full, whose terminal is gone; and foreign text on a terminal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { explain, OutputError } from '../../cli/exit.ts';
import { plain } from '../../cli/output.ts';
import { table } from '../../cli/table.ts';
import { Run } from '../../src/index.ts';
import { nodeFolder } from '../../src/platform/node/index.ts';
import { full, slow } from '../helpers/extent.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';
import { inTerminal, noTerminal } from '../helpers/terminal.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-output-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (...names: string[]): string => join(folder, ...names);

/** The command that stands for the others in `npm test`. */
const QUICK = ['show'];
const SMALL = ['--units', '16', '--blocks', '4', '--threads', '1'];
const long = (name: string): string[] => [
  'train',
  '--data',
  path('two.csv'),
  '--epochs',
  '100000',
  ...SMALL,
  '--run',
  path(name),
  '--json',
];

/** A finished run. */
const done = path('done');
twoClasses(path('two.csv'));
const { code, stderr } = await runCliHere([
  'train',
  '--data',
  path('two.csv'),
  '--epochs',
  '1',
  ...SMALL,
  '--run',
  done,
]);
assert.equal(code, 0, stderr);

/** Runs the command line; whoever reads its standard output goes away after a text, or the first piece. */
function withoutReader(args: readonly string[], after = ''): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  child.stdout.on('data', (piece) => {
    seen += piece;
    if (seen.includes(after)) child.stdout.destroy();
  });
  return endOf(child);
}

/** Runs the command line with a stream that takes nothing, as on a full disk. */
function onFullDisk(args: readonly string[], stream: 1 | 2): Promise<{ code: number | null; stderr: string }> {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', stream === 1 ? full : 'ignore', stream === 2 ? full : 'pipe'],
  });
  closeSync(full);
  return endOf(child);
}

function endOf(child: ReturnType<typeof spawn>): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

/** The run is nobody's, and a checkpoint holds what was trained. */
async function assertSaved(run: string): Promise<void> {
  assert.deepEqual(
    readdirSync(run).filter((name) => name.startsWith('.')),
    [],
    'no lock and no leftovers',
  );
  const saved = await (await Run.open(nodeFolder(run))).latest();
  assert.ok(saved && saved.state.progress.step > 0);
}

describe('a reader that goes away', () => {
  it('ends a training, which is saved, with one sentence and code 2', async () => {
    const { code, stderr } = await withoutReader(long('reader'), '"epoch"');
    assert.deepEqual(
      [code, stderr],
      [
        2,
        `flipgrad: Standard output cannot be written: its reader went away. Interrupted and saved. To go on: flipgrad train --resume ${path('reader')}\n`,
      ],
    );
    await assertSaved(path('reader'));
    const epochs = Number(readdirSync(path('reader', 'checkpoints')).sort().at(-1)?.split('-')[1]) + 2;
    const resumed = await runCliHere(['train', '--resume', path('reader'), '--epochs', String(epochs), '--json']);
    assert.equal(resumed.code, 0, resumed.stderr);
    const events = resumed.lines().map(({ event }) => event);
    assert.deepEqual([events.includes('resumed'), events.at(-1)], [true, 'result']);
  });

  it('ends a sweep, whose trial is saved, with one sentence and code 2', { skip: slow }, async () => {
    const file = path('sweep.ts');
    const train = { data: 'digits', units: 16, blocks: 4, epochs: 1 };
    writeFileSync(file, `export default ${JSON.stringify({ train, space: { lr: [0.01] }, seeds: 50 })};\n`);
    const args = ['sweep', file, '--folder', path('sweep'), '--workers', '2', '--threads', '1', '--json'];
    const { code, stderr } = await withoutReader(args);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /^flipgrad: Standard output cannot be written: its reader went away\. Interrupted; \d+ results are kept in .*\n$/,
    );
    assert.ok(!existsSync(path('sweep', '.lock')));
  });

  it('ends a command that saves nothing without a word, as head and its like expect', async () => {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { guardOutput, print } = await import(${JSON.stringify(new URL('../../cli/output.ts', import.meta.url).href)});
        guardOutput();
        setInterval(() => print('a line\\n'), 1);`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child.stdout.once('data', () => child.stdout.destroy());
    assert.deepEqual(await endOf(child), { code: 2, stderr: '' });
    assert.deepEqual(explain(new OutputError('Standard output cannot be written.', true)), { text: '', code: 2 });
  });

  it('ends one that can be interrupted and has saved nothing so, too', { skip: slow }, async () => {
    const { code, stderr } = await withoutReader(['bench', '--json']);
    assert.deepEqual([code, stderr], [2, '']);
  });
});

describe('a full disk', { skip: existsSync('/dev/full') ? false : 'This system has no /dev/full.' }, () => {
  for (const [name, args] of [
    ['--help', ['--help']],
    ['microscope', ['microscope']],
    ['runs', ['runs', folder]],
    ['show', ['show', done]],
    ['evaluate', ['evaluate', done, '--mode', 'threshold']],
    ['export', ['export', done]],
    ['audit', ['audit', '--neuron', 'straight-through']],
  ] as const)
    it(`below standard output ends ${name} with one sentence and code 2`, {
      skip: QUICK.includes(name) ? false : slow,
    }, async () => {
      const { code, stderr } = await onFullDisk(args, 1);
      assert.deepEqual([code, stderr], [2, 'flipgrad: Standard output cannot be written: its disk is full.\n']);
    });

  it('below standard output ends a training before it begins, and nothing is written', async () => {
    assert.deepEqual(await onFullDisk(long('full'), 1), {
      code: 2,
      stderr:
        'flipgrad: Standard output cannot be written: its disk is full. Interrupted before the training began; nothing was written.\n',
    });
    assert.ok(!existsSync(path('full')));
  });

  it('below standard error leaves the code as it is, or makes it 2', async () => {
    assert.equal((await onFullDisk(['show', path('nothing')], 2)).code, 2);
    assert.equal((await onFullDisk(['show', done], 2)).code, 0);
  });
});

describe('on a terminal', { skip: noTerminal ?? false }, () => {
  it('a training whose terminal is closed is saved', { skip: slow }, async () => {
    const terminal = inTerminal(long('closed'));
    await terminal.see(/"epoch"/);
    const pid = await terminal.pid;
    terminal.hangUp();
    await terminal.end;
    await gone(pid);
    await assertSaved(path('closed'));
  });

  it('tables fit into 40 columns', { skip: slow }, async () => {
    for (const args of [['microscope'], ['runs', folder], ['evaluate', done, '--mode', 'threshold']]) {
      const { text } = await inTerminal(args, { columns: 40 }).end;
      const lines = text.split('\r\n').filter((line) => !line.includes(folder) && !line.startsWith('pid'));
      assert.ok(lines.length > 5, text);
      for (const line of lines.filter((one) => /^ {2}/.test(one))) assert.ok(line.length <= 40, line);
      assert.ok(
        lines.some((one) => /^ {2}[\w-].*: /.test(one)),
        text,
      );
    }
  });

  it('foreign names, labels and errors have no control characters', async () => {
    const hostile = path('hostile');
    cpSync(done, hostile, { recursive: true });
    const record = JSON.parse(readFileSync(join(hostile, 'run.json'), 'utf8'));
    const evil = '\u001b]0;owned\u0007\u001b[31mred\u009b2J\u202eback\r\n\u007f';
    record.data.name = evil;
    record.config.neuron = evil;
    record.machine.processor = evil;
    writeFileSync(join(hostile, 'run.json'), JSON.stringify(record));
    const broken = path('broken');
    cpSync(done, broken, { recursive: true });
    record.format = evil;
    writeFileSync(join(broken, 'run.json'), JSON.stringify(record));
    writeFileSync(path('evil.csv'), `${evil.replaceAll('\n', '')},b\n1,2\nx${evil.replaceAll('\n', '')},3\n`);
    const commands = [
      ['show', hostile],
      ['predict', done, path('evil.csv')],
      ['runs', folder],
      ['show', hostile, '--json'],
      ['runs', folder, '--json'],
      ['show', broken],
      ['train', '--data', path('evil.csv'), '--epochs', '1'],
    ];
    for (const args of full ? commands : commands.slice(0, 2)) {
      const { text } = await inTerminal(args).end;
      const bare = text.replaceAll('\r\n', '').replace(/^pid \d+ \./, '');
      assert.doesNotMatch(bare, /[\p{Cc}\u202e]/u, `${args}: ${JSON.stringify(text)}`);
    }
  });
});

describe('text for people', () => {
  it('is printed in one way by all commands', () => {
    const own = ['output.ts'];
    const sources = globSync('*.ts', { cwd: dirname(MAIN) }).filter((name) => !own.includes(name));
    for (const name of sources)
      assert.doesNotMatch(
        readFileSync(join(dirname(MAIN), name), 'utf8'),
        /\b(?:stdout|stderr)\.write\(|console\./,
        name,
      );
  });
  it('keeps lines, tabs and letters of any script, and loses commands to the terminal', () => {
    assert.equal(
      plain('ein\tÜ 数\n\u001b[2J\u001b]8;;http://x\u0007link\u001b]8;;\u0007\u0085\u202e!'),
      'ein\tÜ 数\nlink!',
    );
  });
  it('stands in lines where a table is wider than the terminal', () => {
    const runs = [
      ['run', 'state', 'valid'],
      ['runs/first', 'done', '1.00%'],
      ['runs/second', 'stopped', '2.00%'],
    ];
    assert.equal(
      table(runs, { columns: 26 }),
      'run runs/first\n  state: done\n  valid: 1.00%\nrun runs/second\n  state: stopped\n  valid: 2.00%',
    );
    assert.equal(
      table(runs, { columns: 27 }),
      'run            state  valid\nruns/first      done  1.00%\nruns/second  stopped  2.00%',
    );
    assert.equal(table([['settings', 'a long value']], { columns: 12 }), 'settings\n  a long value');
  });
  it('has a cell in one line', () => {
    assert.equal(
      table([
        ['a\nb', 'c'],
        ['d', 'e\tf'],
      ]),
      'a b    c\nd    e f',
    );
  });
});

/** Waits until a process has ended. */
async function gone(pid: number): Promise<void> {
  for (let turns = 0; turns < 1500; turns++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(20);
  }
  throw new Error(`Process ${pid} goes on.`);
}
