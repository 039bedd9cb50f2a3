import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { withFigures } from '../../scripts/sweep-queue-text.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('docs/sweeps.md', () => {
  it('has the figures of its record', () => {
    const record = JSON.parse(read('results/sweep-queue.json'));
    assert.equal(record.results, record.trials);
    assert.equal(withFigures(read('docs/sweeps.md'), record), read('docs/sweeps.md'));
  });
});
