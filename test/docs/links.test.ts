/** Links and anchors of every page in Markdown. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { anchorsOf, linksOf } from '../helpers/markdown.ts';
import { readPage, root } from '../helpers/page.ts';

const pages = ['README.md', 'CONTRIBUTING.md', ...globSync(['docs/**/*.md', 'results/*.md'], { cwd: root }).sort()];

describe('links', () => {
  for (const page of pages)
    it(`${page} links to files and headings that are there`, () => {
      for (const { target, line } of linksOf(readPage(page))) {
        if (/^(https?|mailto):/.test(target)) continue;
        const [path, anchor] = decodeURI(target).split('#');
        const file = path === '' ? page : normalize(join(dirname(page), path));
        assert.ok(existsSync(join(root, file)), `${page}:${line}: there is no ${file}`);
        if (anchor !== undefined && file.endsWith('.md'))
          assert.ok(anchorsOf(readPage(file)).has(anchor), `${page}:${line}: ${file} has no #${anchor}`);
      }
    });
});

it('every page of docs stands in the sidebar of the site', () => {
  const config = readPage('site/.vitepress/config.js');
  for (const page of globSync('docs/*.md', { cwd: root }))
    assert.ok(config.includes(`'${basename(page, '.md')}'`), page);
});

describe('Markdown', () => {
  it('anchors are those of GitHub: lower case, no marks, repeated ones numbered', () => {
    const found = anchorsOf(
      '# A b, `c`: d\n## A\n## A\n```sh\n# no heading\n```\n## Parts that sleep: `conditional`\n',
    );
    assert.deepEqual([...found], ['a-b-c-d', 'a', 'a-1', 'parts-that-sleep-conditional']);
  });

  it('links are those of text and pictures, not of code', () => {
    const found = linksOf('[a](b.md#c) ![d](e.svg)\n```ts\nx[0](y)\n```\n`[f](g)` <img src="h.png">\n');
    assert.deepEqual(
      found.map(({ target, line }) => [target, line]),
      [
        ['b.md#c', 1],
        ['e.svg', 1],
        ['h.png', 5],
      ],
    );
  });
});
