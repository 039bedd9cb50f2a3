/** Folders and those above them: what Node makes, but where Node never ends. */
import assert from 'node:assert/strict';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { reproduceCommand } from '../../cli/reproduce.ts';
import { trainCommand } from '../../cli/train.ts';
import { makeFolders } from '../../src/platform/node/make-folders.ts';
import { runHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-folders-'));
after(() => rmSync(folder, { recursive: true }));

/** A place with a folder, a file, a link to the folder and one to nowhere. */
function placed(name: string): string {
  const place = join(folder, name);
  mkdirSync(join(place, 'there'), { recursive: true });
  writeFileSync(join(place, 'file'), '');
  symlinkSync('there', join(place, 'link'));
  symlinkSync('nowhere', join(place, 'dangling'));
  return place;
}

/** What becomes of a path by one of the two, told from its place on. */
function outcome(make: (path: string) => string | undefined, place: string, path: string): unknown {
  const told = (() => {
    try {
      return make(join(place, path))?.replace(place, '');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  })();
  return [told, readdirSync(place, { recursive: true }).sort()];
}

for (const path of ['new', 'a/b/c', 'there', 'there/x/y', 'link', 'link/x', 'file', 'file/x', 'file/x/y', '.'])
  test(`${path}: what Node makes`, () => {
    const [ours, nodes] = [placed(`ours ${path.replaceAll('/', ' ')}`), placed(`nodes ${path.replaceAll('/', ' ')}`)];
    const expected = outcome((whole) => mkdirSync(whole, { recursive: true }), nodes, path);
    assert.deepEqual(outcome(makeFolders, ours, path), expected);
  });

test('a link to nowhere is told as what is in the way', () => {
  assert.throws(() => makeFolders(join(placed('nowhere'), 'dangling')), { code: 'EEXIST' });
});

test('the mode is that of all folders that are made', { skip: process.platform === 'win32' }, () => {
  makeFolders(join(folder, 'private/deep'), 0o700);
  for (const made of ['private', 'private/deep']) assert.equal(statSync(join(folder, made)).mode & 0o777, 0o700);
});

test('below a root that is not there, as that of a drive, it ends with the error of the system', () => {
  const none = Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' });
  const mocks = [
    mock.method(fs, 'mkdirSync', () => {
      throw none;
    }),
    mock.method(fs, 'existsSync', () => false),
    mock.method(fs, 'statSync', () => undefined),
  ];
  syncBuiltinESMExports();
  try {
    assert.throws(() => makeFolders('/drive/that/is/not/there'), none);
  } finally {
    for (const one of mocks) one.mock.restore();
    syncBuiltinESMExports();
  }
});

const noProc = existsSync('/proc/self') ? false : 'There is no /proc here, whose folders nobody can make.';
test('where the system says ENOENT of a folder whose parent is there, in a sentence', { skip: noProc }, async () => {
  assert.throws(() => makeFolders('/proc/none/deeper'), { code: 'ENOENT' });
  const data = twoClasses(join(folder, 'two.csv'));
  const { code, stderr } = await runHere(trainCommand(), [
    ...['--data', data, '--epochs', '1', '--threads', '1', '--run', '/proc/none'],
  ]);
  assert.deepEqual(
    [code, stderr],
    [2, "flipgrad: /proc/none cannot be made: ENOENT: no such file or directory, mkdir '/proc/none'.\n"],
  );
});

test('so for the records of an experiment, too, which do not wait for ever', { skip: noProc }, async () => {
  const { code, stderr } = await runHere(reproduceCommand(), ['table-1', '--out', '/proc/none', '--seeds', '1']);
  assert.equal(code, 2);
  assert.match(stderr, /^flipgrad: Records cannot stand in "\/proc\/none" \(ENOENT.*\)\. Expected another folder\.\n$/);
});
