/** Ctrl-C, SIGTERM and a lost connection, on a real terminal, where a progress line is drawn. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { progressLine } from '../../cli/progress.ts';
import { Run } from '../../src/index.ts';
import { nodeFolder } from '../../src/platform/node/index.ts';
import { full, slow } from '../helpers/extent.ts';
import { twoClasses } from '../helpers/tables.ts';
import { CTRL_C, inTerminal, noTerminal, type Terminal } from '../helpers/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-interrupt-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

/** A run that lasts for hours. */
const SMALL = ['--units', '16', '--blocks', '4', '--threads', '1'];
const data = twoClasses(path('two.csv'));
const long = (name: string): string[] => ['train', '--data', data, '--epochs', '100000', ...SMALL, '--run', path(name)];
const UNDER_WAY = /epoch \d+\/100000 .* left/;

const signal =
  (name: NodeJS.Signals) =>
  async (terminal: Terminal): Promise<void> => {
    process.kill(await terminal.pid, name);
  };

const twice = async (terminal: Terminal): Promise<void> => {
  terminal.press(CTRL_C);
  await signal('SIGINT')(terminal);
};

const STOPS: readonly [string, number, (terminal: Terminal) => void | Promise<void>][] = [
  ['Ctrl-C', 130, (terminal) => terminal.press(CTRL_C)],
  ['Ctrl-C that a parent passes on', 130, twice],
  ['SIGTERM', 143, signal('SIGTERM')],
  ['SIGHUP', 129, signal('SIGHUP')],
];

/** The run that was stopped is whole and nobody's, and a checkpoint holds what was trained. */
async function assertSaved(run: string): Promise<void> {
  assert.deepEqual(
    readdirSync(run).filter((name) => name.startsWith('.')),
    [],
    'no lock and no leftovers',
  );
  const saved = await (await Run.open(nodeFolder(run))).latest();
  assert.ok(saved && saved.state.progress.step > 0);
}

describe('on a terminal', { skip: noTerminal ?? false }, () => {
  for (const [name, code, stop] of full ? STOPS : STOPS.slice(0, 1))
    it(`${name} saves a training, releases its lock, says how to go on, and ends with ${code}`, async () => {
      const run = path(name.replaceAll(' ', '-'));
      const terminal = inTerminal(long(name.replaceAll(' ', '-')));
      await terminal.see(UNDER_WAY);
      await stop(terminal);
      const end = await terminal.end;
      assert.equal(end.code, code, end.text);
      assert.ok(end.text.includes(`Interrupted and saved. To go on: flipgrad train --resume ${run}\r\n`), end.text);
      await assertSaved(run);
    });

  it('Ctrl-C in a sweep saves the trial that is under way; the same command goes on with it', {
    skip: slow,
  }, async () => {
    const file = path('sweep.ts');
    const train = { data: 'digits', units: 16, blocks: 4, epochs: 100_000 };
    writeFileSync(file, `export default ${JSON.stringify({ train, space: { lr: [0.01] }, seeds: 1 })};\n`);
    const own = path('sweep');
    const terminal = inTerminal(['sweep', file, '--folder', own, '--threads', '1']);
    await terminal.see(/sweep .* trials/);
    const [trial] = await firstTrial(join(own, 'trials'));
    terminal.press(CTRL_C);
    const end = await terminal.end;
    assert.equal(end.code, 130, end.text);
    assert.match(end.text, /Interrupted; 0 results are kept in .*sweep\. To go on: flipgrad sweep /);
    assert.ok(!existsSync(join(own, '.lock')));
    await assertSaved(join(own, 'trials', trial));
  });

  for (const [name, args, under] of [
    ['race', ['race', '--budget', '1000000'], /race .* left/],
    ['reproduce', ['reproduce', 'hinton-noise', '--quick', '--out', path('reproduced')], /hinton-noise .* left/],
    ['advise', ['advise', '--seconds', '600'], /advising .* left/],
    ['audit', ['audit'], /auditing .* left/],
    ['bench', ['bench'], /measuring /],
  ] as const)
    it(`Ctrl-C ends ${name} with 130`, { skip: name !== 'race' && slow }, async () => {
      const terminal = inTerminal(args);
      await terminal.see(under);
      terminal.press(CTRL_C);
      const end = await terminal.end;
      assert.equal(end.code, 130, end.text);
      assert.ok(!/^ +at /m.test(end.text), end.text);
    });

  it('the second Ctrl-C ends what does not stop', { skip: slow }, async () => {
    // Takes connections and never answers, as a server that hangs.
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const connected = new Promise((resolve) => server.once('connection', resolve));
    const { port } = server.address() as AddressInfo;
    const terminal = inTerminal(['worker', '--db', `postgres://user@127.0.0.1:${port}/name`]);
    await connected;
    terminal.press(CTRL_C);
    await pause(1500);
    assert.doesNotThrow(async () => process.kill(await terminal.pid, 0), 'the first one waits');
    terminal.press(CTRL_C);
    const { code, text } = await terminal.end;
    server.close();
    assert.equal(code, 130, text);
    assert.doesNotMatch(text, /flipgrad:|Interrupted/);
  });

  it('a terminal of 40 columns gets a line that fits, and one that cannot move its cursor none', {
    skip: slow,
  }, async () => {
    const narrow = inTerminal(long('narrow'), { columns: 40 });
    await narrow.see(/epoch \d+\/100000 .*%/);
    narrow.press(CTRL_C);
    const { text } = await narrow.end;
    const drawn = stripVTControlCharacters(text)
      .split(/\r\n/)
      .filter((line) => /^epoch \d+\/\d+ .*%/.test(line));
    assert.ok(drawn.length > 0, text);
    for (const line of drawn) assert.ok([...line].length < 40, line);
    const dumb = inTerminal(long('dumb'), { env: { TERM: 'dumb' } });
    await dumb.see(/valid error/);
    dumb.press(CTRL_C);
    const end = await dumb.end;
    assert.equal(end.code, 130, end.text);
    assert.ok(!end.text.includes('\u001b'), end.text);
    await assertSaved(path('dumb'));
  });
});

/** Names of the trials in a folder, once the first has trained a little. */
async function firstTrial(trials: string): Promise<string[]> {
  for (let turns = 0; turns < 3000; turns++) {
    const names = existsSync(trials) ? readdirSync(trials) : [];
    if (names.some((name) => existsSync(join(trials, name, 'metrics.jsonl')))) return names;
    await pause(20);
  }
  throw new Error(`No trial began in ${trials}.`);
}

describe('a progress line', () => {
  const facts = ['batch 3/100', 'loss 0.4043', '29243 examples/s', '9 h 29 min left'];
  it('has all where there is room, then a shorter bar, then the last facts', () => {
    assert.equal(
      progressLine('epoch 1/9', 0.5, facts, 120),
      'epoch 1/9 ████████████░░░░░░░░░░░░  50% · batch 3/100 · loss 0.4043 · 29243 examples/s · 9 h 29 min left',
    );
    assert.equal(progressLine('epoch 1/9', 0.5, facts, 55), 'epoch 1/9  50% · 29243 examples/s · 9 h 29 min left');
    assert.equal(progressLine('epoch 1/9', 0.5, facts, 40), 'epoch 1/9 ███░░░  50% · 9 h 29 min left');
  });
  it('is never as wide as the terminal', () => {
    for (let columns = 1; columns < 130; columns++)
      assert.ok([...progressLine('epoch 1/9', 0.5, facts, columns)].length < columns, String(columns));
  });
});
