/** Files that the user names: whole or not at all, and nothing that is there is replaced by something of another kind. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { writeFile } from '../../cli/write-file.ts';
import { root } from '../helpers/page.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-write-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(path(name), { recursive: true });
});
const CONTENT = 'x'.repeat(200_000);
/** A program that writes to a path, then prints a line. */
const program = (to: string): readonly string[] => [
  '--input-type=module',
  '-e',
  `import { writeFile } from ${JSON.stringify(pathToFileURL(join(root, 'cli/write-file.ts')).href)};
   writeFile(${JSON.stringify(to)}, 'x'.repeat(${CONTENT.length})); process.stdout.write('told\\n');`,
];
const whole = (text: string, ...around: readonly [before: string, after: string]): void =>
  assert.ok(
    text === `${around[0]}${CONTENT}${around[1]}`,
    `${text.length} characters: ${text.slice(0, 20)} … ${text.slice(-20)}`,
  );

describe('a file that the user names', () => {
  it('is written whole where a link leads, keeps its rights, and leaves nothing beside it', () => {
    writeFileSync(path('real'), 'old');
    chmodSync(path('real'), 0o666);
    symlinkSync('real', path('link'));
    writeFile(path('link'), CONTENT);
    assert.ok(lstatSync(path('link')).isSymbolicLink());
    whole(readFileSync(path('real'), 'utf8'), '', '');
    assert.equal(statSync(path('real')).mode & 0o777, 0o666);
    assert.deepEqual(readdirSync(folder).sort(), ['link', 'real']);
  });

  it('stays as it was where it cannot be written', { skip: !existsSync('/dev/full') && 'no /dev/full here' }, () => {
    assert.throws(() => writeFile('/dev/full', CONTENT), {
      name: 'StorageError',
      message: '/dev/full cannot be written: the disk is full. Free some space.',
    });
    assert.ok(statSync('/dev/full').isCharacterDevice());
    assert.throws(() => writeFile(path(''), CONTENT), /is a folder/);
    writeFileSync(path('file'), 'old');
    assert.throws(() => writeFile(path('file/below'), CONTENT), {
      name: 'StorageError',
      message: /below cannot be written: ENOTDIR/,
    });
    symlinkSync('b', path('a'));
    symlinkSync('a', path('b'));
    assert.throws(() => writeFile(path('a'), CONTENT), { name: 'StorageError', message: /a cannot be written: ELOOP/ });
    assert.equal(readFileSync(path('file'), 'utf8'), 'old');
  });
});

const posix = process.platform === 'win32' && 'there is no /dev';
describe('what a process has open is written on', { skip: posix }, () => {
  it('standard output: a pipe, a socket, a file that is appended to', async () => {
    const piped = execFileSync('/bin/sh', ['-c', '"$0" "$@" | cat', process.execPath, ...program('/dev/stdout')], {
      encoding: 'utf8',
    });
    whole(piped, '', 'told\n');
    // Node gives a child sockets.
    const child = spawn(process.execPath, program('/dev/stdout'), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    assert.equal(await new Promise((done) => child.on('close', done)), 0);
    whole(text, '', 'told\n');
    writeFileSync(path('log'), 'before\n');
    const { status } = spawnSync(process.execPath, program('/dev/stdout'), {
      stdio: ['ignore', openSync(path('log'), 'a'), 'inherit'],
    });
    assert.equal(status, 0);
    whole(readFileSync(path('log'), 'utf8'), 'before\n', 'told\n');
  });

  it('standard error, and a file by its number', { skip: !existsSync('/proc/self/fd') && 'no /proc here' }, () => {
    for (const [to, place] of [
      ['/dev/stderr', 2],
      ['/dev/fd/3', 3],
    ] as const) {
      const file = path(`file${place}`);
      writeFileSync(file, 'before\n');
      const other = path(`same${place}`);
      linkSync(file, other);
      const open = openSync(file, 'a');
      const stdio = ['ignore', 'ignore', place === 2 ? open : 'inherit', ...(place === 3 ? [open] : [])] as const;
      assert.equal(spawnSync(process.execPath, program(to), { stdio: [...stdio] }).status, 0);
      whole(readFileSync(file, 'utf8'), 'before\n', '');
      assert.equal(statSync(file).ino, statSync(other).ino);
    }
  });

  it('a FIFO gets all of it, and stays one', async () => {
    execFileSync('mkfifo', [path('fifo')]);
    const reader = spawn('cat', [path('fifo')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    reader.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const writer = spawn(process.execPath, program(path('fifo')), { stdio: 'ignore' });
    const codes = await Promise.all([reader, writer].map((one) => new Promise((done) => one.on('close', done))));
    assert.deepEqual(codes, [0, 0]);
    whole(text, '', '');
    assert.ok(lstatSync(path('fifo')).isFIFO());
  });
});
