/**
 * Programs and commands of README.md and docs in a fresh project that has installed the packed package, on the Node that runs the tests and
 * on Node 20. Those that are marked slow are run by examples.test.ts alone.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { slow } from '../helpers/extent.ts';
import { installPacked, PackedFolder } from '../helpers/packed.ts';
import { blocksOf, readPage, root, runPage } from '../helpers/page.ts';

/** README.md and every page with a block that is run right away. */
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()].filter((page) =>
  blocksOf(readPage(page)).some(({ how, file }) => how === 'run' || file !== undefined),
);

/** Node 20 of this machine, the oldest that the package runs on; undefined where there is none. */
function node20(): string | undefined {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, 'node'))
    .find((path) => {
      try {
        return execFileSync(path, ['--version'], { encoding: 'utf8' }).startsWith('v20.');
      } catch {
        return false;
      }
    });
}
const oldest = node20();

describe('a project with the packed package', { skip: slow }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-packed-'));
  before(() => installPacked(folder));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const page of pages) {
    const runs = async (node: string, stripped: boolean): Promise<void> => {
      const place = new PackedFolder(folder, node, { stripped });
      for (const { block, printed } of await runPage(page, { slow: false }, place))
        if (block.prints !== undefined && block.language === 'ts')
          assert.equal(printed, block.prints, `${page}:${block.line}`);
    };
    it(`runs ${page}`, () => runs(process.execPath, false));
    it(`runs ${page} on Node 20, its TypeScript without types`, { skip: !oldest && 'there is no Node 20 here' }, () =>
      runs(oldest as string, true),
    );
  }
});
