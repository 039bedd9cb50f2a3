import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { renderRegions, renderResults } from '../scripts/render-results.ts';

for (const [path, text] of renderResults())
  it(`${path} is what its records say (npm run results renders it)`, () => {
    assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text);
  });

it('a region that nothing renders is an error', () => {
  assert.throws(() => renderRegions('<!-- results:nothing -->\nx\n<!-- /results -->'), /"nothing"/);
});
