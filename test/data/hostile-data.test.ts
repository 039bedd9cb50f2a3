/** Data from strangers, read by the command line in a process with 1.5 GB: refused with a sentence, before it is built. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { full } from '../helpers/extent.ts';
import { giveHostile, honestRun, hostileData } from '../helpers/hostile-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-hostile-data-'));
after(() => rmSync(folder, { recursive: true }));

const skip = process.platform === 'linux' ? false : 'limits on memory, FIFOs and devices are tested on Linux';

/** One of each kind; in `npm test` a bomb, and what never ends. `npm run attack` has them all. */
const QUICK = full
  ? [
      '192 MiB of commas in 194 kB',
      '3 GiB of zeros in 3 MB, for pictures',
      'a sparse table of a gibibyte',
      'a FIFO',
      'a folder whose table is a folder',
      'a picture of 16 million pixels in 2 kB',
    ]
  : ['192 MiB of commas in 194 kB', 'a FIFO', 'a folder whose table is a folder'];

describe('data that 1.5 GB of memory do not hold', { skip }, () => {
  // `predict` wants a run.
  let run = '';
  before(async () => {
    if (full) run = await honestRun(folder);
  });
  for (const name of QUICK)
    it(name, async () => {
      const hostile = hostileData.find((one) => one.name === name);
      assert.ok(hostile?.refusal, 'is one of them');
      const { code, stderr } = await giveHostile(hostile, folder, run);
      assert.equal(code, 2, stderr);
      assert.match(stderr, hostile.refusal);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
});
