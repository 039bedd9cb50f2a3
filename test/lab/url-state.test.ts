import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, writeAddress } from '../../lab/src/url-state.ts';

const defaults = { neurons: 'a', logit: 0.5, seed: 1 };

test('settings come back from an address', () => {
  const settings = { neurons: 'a:b=c,d=1,e', logit: -1.25, seed: 7 };
  assert.deepEqual(readAddress(writeAddress('page', settings), defaults), { page: 'page', settings });
});

test('what an address leaves out, or says badly, is the default; what no page knows is left out', () => {
  const { page, settings } = readAddress('#page?logit=much&seed=&other=1', defaults);
  assert.equal(page, 'page');
  assert.deepEqual(settings, defaults);
  assert.deepEqual(readAddress('', defaults), { page: '', settings: defaults });
});
