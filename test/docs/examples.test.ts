/** Every command and program of README.md and docs is run, or says who runs it or why nobody can. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { full, slow } from '../helpers/extent.ts';
import { blocksOf, commandsOf, readPage, root, runPage, smaller } from '../helpers/page.ts';

const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];
const withBlocks = pages.filter((page) => blocksOf(readPage(page)).length > 0);

/** Pages whose programs and trainings take long: README.md stands for them in `npm test`. */
const LONG = ['docs/tensors.md', 'docs/tutorial.md', 'docs/black-box.md', 'docs/own-neuron.md'];

describe('the examples of README.md and docs', () => {
  for (const page of withBlocks)
    it(`${page} runs, and prints what it says`, { skip: LONG.includes(page) && slow }, async () => {
      for (const { block, printed } of await runPage(page, { slow: full }))
        if (block.prints !== undefined) assert.equal(printed, block.prints, `${page}:${block.line}`);
    });

  it('a block that is tested elsewhere names files that are there; one that is not run has a reason', () => {
    for (const page of pages)
      for (const { how, note, line } of blocksOf(readPage(page))) {
        if (how === 'elsewhere') {
          const files = note.split(' ');
          assert.ok(files.length > 0);
          for (const file of files) assert.ok(existsSync(join(root, file)), `${page}:${line}: ${file}`);
        }
        if (how === 'not run') assert.ok(note.length > 10, `${page}:${line}`);
      }
  });
});

describe('blocks of a page', () => {
  const page = [
    '<!-- example: slow -->',
    '```sh',
    'flipgrad train',
    '```',
    '',
    '```ts',
    '// net.ts',
    'export default 1;',
    '```',
    '',
    '```ts',
    'console.log(2);',
    '```',
    '',
    '```text',
    '2',
    '```',
  ].join('\n');

  it('have a language, a line, a mark, the name of a file or what they print', () => {
    assert.deepEqual(
      blocksOf(page).map(({ language, line, how, file, prints }) => ({ language, line, how, file, prints })),
      [
        { language: 'sh', line: 3, how: 'slow', file: undefined, prints: undefined },
        { language: 'ts', line: 7, how: 'run', file: 'net.ts', prints: undefined },
        { language: 'ts', line: 12, how: 'run', file: undefined, prints: '2\n' },
      ],
    );
    assert.throws(() => blocksOf('<!-- example: never -->\n```sh\nls\n```\n'), /"never" is no way/);
  });

  it('commands are words without comments, with the file that takes the output', () => {
    assert.deepEqual(commandsOf("flipgrad a --b 'c d' > out.txt && node e.ts # why"), [
      { words: ['flipgrad', 'a', '--b', 'c d'], to: 'out.txt' },
      { words: ['node', 'e.ts'], to: undefined },
    ]);
    assert.throws(() => commandsOf('flipgrad a | head'), /cannot be run here/);
  });

  it('numbers of long commands get smaller, never larger', () => {
    assert.deepEqual(smaller(['train', '--epochs', '40', '--threads', '1']), [
      'train',
      '--epochs',
      '1',
      '--threads',
      '1',
    ]);
    assert.deepEqual(smaller(['show', 'runs/x']), ['show', 'runs/x']);
    assert.deepEqual(smaller(['train', '--resume', 'a', '--epochs', '200']), [
      'train',
      '--resume',
      'a',
      '--epochs',
      '2',
    ]);
    assert.deepEqual(smaller(['train', '--resume', 'a']), ['train', '--resume', 'a']);
  });
});
