import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli } from '../helpers/run-cli.ts';
import { type Attack, INTERNALS, within } from './attack.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const there = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** How far the clock of the second process is off. */
const OFFSETS = ['+10 minutes', '-10 minutes', '+400 days', '-400 days'];
const EPOCHS = 4000;

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** A training that has taken its folder, by a clock that may be wrong. */
function begin(args: readonly string[], clock?: string): { begun: Promise<unknown>; end: Promise<Ended> } {
  const own = [process.execPath, MAIN, ...args];
  const [program, ...rest] = clock === undefined ? own : ['faketime', clock, ...own];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const begun = new Promise((resolve) => child.stdout.on('data', (text) => /"epoch"/.test(text) && resolve(text)));
  const end = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { begun: Promise.race([begun, end]), end };
}

/** Two processes on one folder, one of them with a clock that is wrong: the living one keeps it. */
export const clocks: Attack = async (folder) => {
  const name = 'a second training on a folder, by a clock that is wrong';
  if (!there('faketime', '+1 day', 'true'))
    return { name, attacks: 0, found: '', skipped: 'faketime is not installed.' };
  const args = (run: string): string[] => [
    ...['train', '--units', '16', '--blocks', '4', '--gater', '8', '--threads', '1', '--blas', 'off', '--json'],
    ...['--data', join(folder, 'two.csv'), '--batch', '20', '--epochs', String(EPOCHS), '--run', run],
  ];
  const whole = join(folder, 'whole');
  assert.equal((await runCli(args(whole))).code, 0);
  let attacks = 0;
  for (const owner of [undefined, ...OFFSETS.slice(0, 2)]) {
    const run = join(folder, `run-${attacks}`);
    const first = begin(args(run), owner);
    await first.begun;
    for (const clock of OFFSETS) {
      const second = await within(60, 'A second training', begin(['train', '--resume', run], clock).end);
      assert.equal(second.code, 2, second.stderr);
      assert.match(second.stderr, /is in use by process \d+/);
      assert.doesNotMatch(second.stderr, INTERNALS);
      attacks++;
    }
    const end = await within(300, 'The first training', first.end);
    assert.equal(end.code, 0, end.stderr);
    const weights = (place: string): Buffer => readFileSync(join(place, 'weights.safetensors'));
    assert.ok(weights(run).equals(weights(whole)), 'the first training ended otherwise');
  }
  return { name, attacks, found: 'all refused; the first trainings end with the bytes of an undisturbed one' };
};
