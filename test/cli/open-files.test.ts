/** A process that may open few files says that, by the limit's name. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { full } from '../helpers/extent.ts';
import { twoClasses } from '../helpers/tables.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line with a limit of open files. */
async function limited(limit: number, args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const command = ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', process.execPath, MAIN, ...args];
  const child = spawn('sh', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stderr };
}

const told = (limit: number): string =>
  `flipgrad: The limit of open files, ${limit}, of this process is reached. Expected a higher one: \`ulimit -n 1024\` before the command.\n`;

describe('with 24 open files', { skip: process.platform === 'win32' ? 'Windows has no such limit.' : false }, () => {
  it('train says so', async () => {
    const data = twoClasses(join(folder, 'two.csv'));
    const small = ['--epochs', '1', '--units', '16', '--blocks', '4', '--threads', '2'];
    const args = ['train', '--data', data, ...small, '--run', join(folder, 'run')];
    assert.deepEqual(await limited(24, args), { code: 2, stderr: told(24) });
  });

  it('sweep says so, and makes no folder', async () => {
    const file = join(folder, 'sweep.ts');
    writeFileSync(file, "export default { train: { data: 'digits', epochs: 1 }, space: { lr: [0.01] }, seeds: 1 };\n");
    for (const limit of full ? [24, 100] : [100]) {
      const { code, stderr } = await limited(limit, ['sweep', file, '--folder', join(folder, 'sweep')]);
      assert.equal(code, 2, stderr);
      assert.match(
        stderr,
        new RegExp(`^flipgrad: .*\\b${limit}\\b.*Expected a higher one: \`ulimit -n 1024\` before the command\\.\\n$`),
      );
      assert.ok(!existsSync(join(folder, 'sweep')));
    }
  });
});
