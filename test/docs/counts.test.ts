/** Counts in sentences that are typed by hand: they say what the library has. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { zoo } from '../../src/neurons/index.ts';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);

/** What is rendered from records counts what was measured then. */
const withoutRendered = (text: string): string => text.replace(/<!-- results:\S+ -->[\s\S]*?<!-- \/results -->/g, '');

/** Sentences that count neurons by tens, and their counts: smaller counts are of a few of them. */
function countsOf(text: string): { count: number; sentence: string }[] {
  return [...withoutRendered(text).matchAll(/^.*?\b(\d{2,}) neurons\b.*$/gm)].map(([sentence, count]) => ({
    count: Number(count),
    sentence,
  }));
}

it('CHANGELOG.md, README.md and docs count the neurons of the zoo', () => {
  const pages = [
    'CHANGELOG.md',
    'README.md',
    ...readdirSync(at('docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ];
  const counts = pages.flatMap((page) => countsOf(readFileSync(at(page), 'utf8')).map((found) => ({ ...found, page })));
  assert.ok(
    counts.some(({ page }) => page === 'CHANGELOG.md'),
    'CHANGELOG.md counts no neurons',
  );
  for (const { page, count, sentence } of counts) assert.equal(count, Object.keys(zoo).length, `${page}: ${sentence}`);
});
