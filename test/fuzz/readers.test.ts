/** A short form of `npm run fuzz`: no damaged file brings down a reader. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createEngine } from '../../src/platform/node/engine.ts';
import { fuzz } from './fuzz.ts';
import { readers } from './readers.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());
const all = await readers(engine);

describe('damaged files', () => {
  for (const reader of all) {
    test(`${reader.name}: a good file is read`, async () => {
      for (const file of reader.files) await reader.read(file);
    });

    test(`${reader.name}: 400 damaged files are read or refused`, async () => {
      const { read, refused } = await fuzz(reader, 400);
      assert.equal(read + refused, 400);
    });
  }
});
