import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { renderRegions, renderResults } from '../scripts/render-results.ts';

for (const [path, text] of renderResults())
  it(`${path} is what its records say (npm run results renders it)`, () => {
    assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text);
  });

it('a region that nothing renders is an error', () => {
  assert.throws(() => renderRegions('<!-- results:nothing -->\nx\n<!-- /results -->'), /"nothing"/);
});

it('what the page of findings links to is there: sections, tables, records and pages', () => {
  const page = renderResults().get('docs/findings.md') ?? assert.fail();
  const targets = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  const sections = [...page.matchAll(/^## (.+)$/gm)].map(
    ([, title]) =>
      `#${title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  assert.ok(targets.length > 50);
  for (const target of new Set(targets))
    if (target.startsWith('#')) assert.ok(sections.includes(target), target);
    else assert.ok(existsSync(new URL(`../docs/${target}`, import.meta.url)), target);
});
