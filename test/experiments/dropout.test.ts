import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropout } from '../../experiments/hinton-noise/dropout.ts';
import { certify, resolveNeuron } from '../../src/index.ts';

test('every claim of dropout holds', () => {
  const verdicts = certify(resolveNeuron(dropout));
  assert.ok(verdicts.length > 0);
  assert.deepEqual(
    verdicts.filter(({ verdict }) => verdict === 'refuted'),
    [],
  );
});
