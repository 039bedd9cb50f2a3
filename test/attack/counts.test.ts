import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withCounts } from '../../scripts/attack-text.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('docs/security.md has the counts of its record: every kind of attack, 20,000 mutants', () => {
  const record = JSON.parse(read('results/attack.json'));
  assert.equal(withCounts(read('docs/security.md'), record), read('docs/security.md'));
  assert.equal(record.outcomes.length, 7);
  assert.ok(record.mutants >= 20_000);
});
