import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/io/format-error.ts';
import { parseJson } from '../../src/io/json.ts';

const REFUSED: readonly [string, string, RegExp][] = [
  ['nothing', '', /x is not JSON/],
  ['a cut', '{"a": [1, 2', /x is not JSON/],
  ['a cut in a string', '{"a": "b\\', /x is not JSON/],
  ['NaN', '{"a": NaN}', /x is not JSON/],
  ['a name twice', '{"a": 1, "b": {}, "a": 2}', /the name "a" twice/],
  ['a name twice, inside', '{"b": [{"c": 1, "c" : 2}]}', /the name "c" twice/],
  ['a name twice, written differently', '{"a": 1, "\\u0061": 2}', /the name "a" twice/],
  ['deep nesting', '['.repeat(100_000), /nested deeper than 64/],
];

describe('JSON of unknown origin', () => {
  for (const [name, text, message] of REFUSED)
    test(`${name} is refused`, () => {
      assert.throws(
        () => parseJson(text, 'x'),
        (error: Error) => error instanceof FormatError && message.test(error.message),
      );
    });

  test('the same name in two objects, as a text, and after an escaped quote is none twice', () => {
    const text = '[{"a": "a", "b": {"a": "\\"a\\": 1"}}, {"a": ["a", "a"]}, {"__proto__": 1}]';
    assert.deepEqual(parseJson(text, 'x'), JSON.parse(text));
  });

  test('whatever JSON.stringify writes is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        assert.deepEqual(parseJson(text, 'x'), JSON.parse(text));
      }),
    );
  });
});
