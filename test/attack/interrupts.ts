import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomStream } from '../../src/random/stream.ts';
import { runCli } from '../helpers/run-cli.ts';
import { CTRL_C, inTerminal, noTerminal, type Terminal } from '../helpers/terminal.ts';
import { type Attack, INTERNALS, tally, within } from './attack.ts';

const MOMENTS = 20;
/** An epoch takes some milliseconds. */
const EPOCHS = 600;

const STOPS: readonly { name: string; code: number; stop: (terminal: Terminal) => Promise<void> | void }[] = [
  { name: 'Ctrl-C', code: 130, stop: (terminal) => terminal.press(CTRL_C) },
  { name: 'SIGTERM', code: 143, stop: async (terminal) => void process.kill(await terminal.pid, 'SIGTERM') },
  { name: 'SIGHUP', code: 129, stop: async (terminal) => void process.kill(await terminal.pid, 'SIGHUP') },
];

/** A training on a terminal, stopped and taken up again at random moments, from the start of the process on. */
export const interrupts: Attack = async (folder, { seed }) => {
  const name = 'interrupts on a pseudo-terminal';
  if (noTerminal) return { name, attacks: 0, found: '', skipped: noTerminal };
  const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')];
  const args = (run: string): string[] => [
    ...['train', '--units', '16', '--blocks', '4', '--gater', '8', '--threads', '1', '--blas', 'off'],
    ...['--data', join(folder, 'two.csv'), '--batch', '20', '--epochs', String(EPOCHS), '--run', run],
  ];
  const undisturbed = await runCli(args(whole));
  assert.equal(undisturbed.code, 0, undisturbed.stderr);
  const random = randomStream(seed, 12);
  const ends: string[] = [];
  for (let moment = 0; moment < MOMENTS; moment++) {
    const { name: what, code, stop } = STOPS[moment % STOPS.length];
    const terminal = inTerminal([...args(stopped), '--resume', '--checkpoint-every', '0']);
    await terminal.pid;
    // While it starts, or while it trains.
    if (moment % 4 === 0) await pause(1000 * random.uniform());
    else {
      await Promise.race([terminal.see(/epoch \d+/), terminal.end]);
      await pause(300 * random.uniform());
    }
    const done = await within(
      60,
      `${what} on a terminal`,
      Promise.resolve(stop(terminal)).then(() => terminal.end),
    );
    assert.ok(done.code === code || done.code === 0, `${what} ended with ${done.code}: ${done.text}`);
    assert.doesNotMatch(done.text, INTERNALS);
    const left = leftovers(stopped);
    assert.deepEqual(left, [], `${what} left ${left} behind: ${done.text}`);
    ends.push(done.code === 0 ? 'done before' : /saved/.test(done.text) ? 'saved' : 'nothing to save yet');
  }
  const end = await runCli([...args(stopped), '--resume']);
  assert.equal(end.code, 0, end.stderr);
  for (const file of ['weights.safetensors'])
    assert.ok(readFileSync(join(stopped, file)).equals(readFileSync(join(whole, file))), `${file} is another`);
  assert.ok(ends.filter((how) => how === 'saved').length >= MOMENTS / 2, `only ${tally(ends)}`);
  return { name, attacks: MOMENTS, found: `${tally(ends)}; the end has the bytes of an undisturbed training` };
};

/** Locks and files under way. */
function leftovers(run: string): string[] {
  try {
    return readdirSync(run).filter((name) => name.startsWith('.'));
  } catch {
    return [];
  }
}
