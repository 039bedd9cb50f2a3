/** README.md: short, and its example is the promise that a newcomer tries first. test/docs runs its blocks and follows its links. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blocksOf, PageFolder, readPage } from './helpers/page.ts';

const readme = readPage('README.md');

describe('README', () => {
  it('has at most 600 words', () => {
    const count = readme.split(/\s+/).filter(Boolean).length;
    assert.ok(count <= 600, `${count} words`);
  });

  it('its example has about fifteen lines, ends, and reads digits with a fifth of the multiply-adds', () => {
    const { code } = blocksOf(readme).find(({ language }) => language === 'ts') ?? assert.fail();
    assert.ok(code.trim().split('\n').length <= 15, 'lines');
    const folder = new PageFolder();
    try {
      folder.write('example.ts', code);
      const output = folder.program('example.ts');
      assert.match(output, /epoch 4: validation error 0\.\d+/);
      const [, error, executed, dense] =
        /test error (\S+), (\d+) of (\d+) multiply-adds/.exec(output) ?? assert.fail(output);
      assert.ok(Number(error) < 0.1, output);
      assert.ok(Number(executed) < Number(dense) / 5, output);
    } finally {
      folder.remove();
    }
  });
});
