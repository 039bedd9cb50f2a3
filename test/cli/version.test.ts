import assert from 'node:assert/strict';
import { test } from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { runCliHere } from '../helpers/run-here.ts';

test('--version prints the version of the package', async () => {
  const { code, stdout } = await runCliHere(['--version']);
  assert.equal(code, 0);
  assert.equal(stdout.trim(), manifest.version);
});
