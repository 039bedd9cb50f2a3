import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderNeuronDocs } from '../../scripts/render-neurons.ts';
import { slow } from '../helpers/extent.ts';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);

test('docs/neurons.md and its pictures are what the zoo says (npm run render renders them)', { skip: slow }, () => {
  const pages = renderNeuronDocs();
  for (const [path, text] of pages) assert.equal(readFileSync(at(path), 'utf8'), text, path);
  const pictures = readdirSync(at('docs/neurons')).map((name) => `docs/neurons/${name}`);
  assert.deepEqual(
    pictures.sort(),
    pages
      .map(([path]) => path)
      .filter((path) => path.endsWith('.svg'))
      .sort(),
  );
});
