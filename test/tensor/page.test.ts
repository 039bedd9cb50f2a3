import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPagePrograms } from '../helpers/page-programs.ts';

test('the programs of docs/tensors.md print what the page says', () => {
  const programs = runPagePrograms('docs/tensors.md');
  assert.equal(programs.length, 4);
  for (const { says, printed } of programs) assert.equal(printed, says);
});
