import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, numberIn, readAddress, wholeNumber, words, writeAddress } from '../../lab/src/url-state.ts';

const fields = {
  neurons: words('a', 20),
  logit: numberIn(0.5, -5, 5),
  seed: wholeNumber(1, 0, 100),
  loss: choice('square', ['square', 'linear']),
};
const usual = { neurons: 'a', logit: 0.5, seed: 1, loss: 'square' };

test('settings come back from an address', () => {
  const settings = { neurons: 'a:b=c,d=1,e', logit: -1.25, seed: 7, loss: 'linear' };
  assert.deepEqual(readAddress(writeAddress('page', settings), fields), { page: 'page', settings, problems: [] });
  assert.deepEqual(readAddress('', fields), { page: '', settings: usual, problems: [] });
});

test('a number that is out of bounds is the nearest bound, other things that do not do are the usual ones; each is said', () => {
  for (const [query, settings, problem] of [
    [
      'seed=1000000000',
      { seed: 100 },
      '`seed` in the address is 1000000000. Expected a whole number from 0 to 100. Here it is 100.',
    ],
    ['seed=-1', { seed: 0 }, '`seed` in the address is -1. Expected a whole number from 0 to 100. Here it is 0.'],
    ['seed=1.5', {}, '`seed` in the address is 1.5. Expected a whole number from 0 to 100. Here it is 1.'],
    [
      'logit=Infinity',
      { logit: 5 },
      '`logit` in the address is Infinity. Expected a number from -5 to 5. Here it is 5.',
    ],
    ['logit=much', {}, '`logit` in the address is "much". Expected a number from -5 to 5. Here it is 0.5.'],
    ['logit=', {}, '`logit` in the address is "". Expected a number from -5 to 5. Here it is 0.5.'],
    [
      'loss=squares',
      {},
      '`loss` in the address is "squares". Expected one of square, linear; did you mean "square"? Here it is square.',
    ],
    ['sede=3', {}, 'The address has a setting "sede". Did you mean "seed"? Known: neurons, logit, seed, loss.'],
  ] as const) {
    const read = readAddress(`#page?${query}`, fields);
    assert.deepEqual(read, { page: 'page', settings: { ...usual, ...settings }, problems: [problem] });
  }
  const long = readAddress(`#page?neurons=${'a'.repeat(21)}&toString=1`, fields);
  assert.deepEqual(long.settings, usual);
  assert.equal(long.problems.length, 2);
  assert.match(long.problems[1], /Expected a text of 20 characters at most/);
});
