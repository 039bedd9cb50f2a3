/** Commands that are printed are pasted into a shell, wherever a run lies. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandLine, pathWord } from '../../cli/command-line.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const windows = process.platform === 'win32' ? 'Commands are quoted for POSIX shells.' : false;

describe('a printed command', { skip: windows }, () => {
  it('has its words back from a shell, whatever they are', () => {
    const words = [
      '/a b',
      "it's",
      '$HOME',
      '`id`',
      '~',
      'a"b\\c',
      'x;touch y',
      '*',
      '!',
      '#',
      'ü …',
      'a\nb',
      '',
      '=a',
      'a=*b',
      '{a,b}*',
    ];
    const shell = `flipgrad() { for word; do printf '%s\\0' "$word"; done; }; ${commandLine(...words)}`;
    assert.deepEqual(execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).split('\0').slice(0, -1), words);
  });

  it('quotes no more of a word than it has to', () => {
    assert.equal(
      commandLine('race', '--neuron', 'sigmoid,rloo*8,binomial:m=8'),
      'flipgrad race --neuron sigmoid,rloo\\*8,binomial:m=8',
    );
    assert.equal(commandLine("it's; here"), `flipgrad "it's; here"`);
  });

  it('takes no path for an option', () => {
    assert.equal(commandLine('train', '--resume', pathWord('-r')), 'flipgrad train --resume ./-r');
  });

  it('goes on with a run in a folder of any name', async () => {
    const run = join(folder, "it's $HOME; touch 'owned' `id` \"&");
    const data = twoClasses(join(folder, 'two.csv'));
    const { code, stderr } = await runCliHere(
      ['train', '--data', data, '--units', '16', '--blocks', '4', '--epochs', '100000', '--run', run, '--threads', '1'],
      { startedBy: '"epoch":1,', onStarted: (kill) => kill('SIGINT') },
    );
    assert.equal(code, 130, stderr);
    const command = /To go on: (flipgrad [^\n]*)\n$/.exec(stderr)?.[1];
    const epochs = Number(readdirSync(join(run, 'checkpoints')).sort().at(-1)?.split('-')[1]) + 2;
    const shell = `flipgrad() { "${process.execPath}" "${MAIN}" "$@" --epochs ${epochs} --json; }; ${command}`;
    const text = execFileSync('sh', ['-c', shell], { cwd: folder, encoding: 'utf8' });
    assert.match(text, /"event":"resumed"[^\n]*\n/);
    assert.match(text, /"event":"result"/);
    assert.ok(!existsSync(join(folder, 'owned')));
  });
});
