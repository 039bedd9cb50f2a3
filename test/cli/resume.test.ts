/** Runs that are killed, interrupted and run out of disk, in processes of their own; each ends as if nothing had happened. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { randomStream } from '../../src/random/stream.ts';
import { readEventFile } from '../helpers/event-reader.ts';
import { full, slow } from '../helpers/extent.ts';
import { flagsUnder } from '../helpers/flags.ts';
import { runCli } from '../helpers/run-cli.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-resume-'));
after(() => rmSync(folder, { recursive: true }));

/** 200 rows of two classes: an epoch takes a millisecond. */
const data = twoClasses(join(folder, 'two.csv'));

const NETWORK = ['--units', '16', '--blocks', '4', '--gater', '8', '--rate', '0.25', '--neuron', 'noisy-rectifier'];
const MACHINE = ['--threads', '1', '--blas', 'off'];
const args = (run: string, epochs: number, ...more: string[]): string[] => [
  ...['train', '--data', data, '--nudge', ...MACHINE, '--batch', '20', '--decay', '0.999'],
  ...['--run', run, '--epochs', String(epochs), ...flagsUnder(NETWORK, more)],
];
const path = (name: string): string => join(folder, name);
const weights = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));

/** Everything after the last epoch: weights, moments, averages, thresholds, λ; and the weights of the best epoch. */
function lastState(run: string): Buffer {
  const [name] = readdirSync(join(run, 'checkpoints')).sort().reverse();
  return readFileSync(join(run, 'checkpoints', name, 'arrays.safetensors'));
}

/** Lines of metrics without the clock and the threads. */
function metrics(run: string): string[] {
  const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const { time, seconds, threads, ...facts } = JSON.parse(line);
    return facts.event === 'session' ? [] : [JSON.stringify(facts)];
  });
}

function assertSameEnd(run: string, whole: string): void {
  assert.ok(weights(run).equals(weights(whole)), 'the weights are others');
  assert.ok(lastState(run).equals(lastState(whole)), 'the state after the last epoch is another');
}

/**
 * Starts a command and kills it.
 * @param moment milliseconds after its start, or after output with a text
 * @returns its exit code, null when it was killed
 */
function killedAt(
  command: readonly string[],
  { since, milliseconds }: { since: string; milliseconds: number },
): Promise<{ code: number | null; stderr: string }> {
  const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let timer: NodeJS.Timeout | undefined;
    let stderr = '';
    const begin = () => {
      timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds);
    };
    if (since === 'start') begin();
    child.stdout.on('data', (text) => String(text).includes(since) && begin());
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stderr });
    });
  });
}

describe('a run', () => {
  const KILLS = full ? 30 : 2;
  it(`killed at ${KILLS} random moments ends with the bytes of an uninterrupted one`, async (t) => {
    const EPOCHS = full ? 1000 : 100;
    const [whole, killed] = [path('whole'), path('killed')];
    assert.equal((await runCliHere(args(whole, EPOCHS))).code, 0);
    const random = randomStream(20261121, 1);
    const logs = ['--log', 'csv,tensorboard'];
    const states = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      // While it trains and every minibatch ends with a checkpoint, while it starts, and while it takes up the last one.
      const [since, most] = (
        [
          ['"epoch"', 200],
          ['start', 500],
          ['"event"', 200],
          ['"epoch"', 200],
        ] as const
      )[kill % 4];
      const moment = { since, milliseconds: most * random.uniform() };
      const { code, stderr } = await killedAt(
        args(killed, EPOCHS, ...logs, '--resume', '--checkpoint-every', '0'),
        moment,
      );
      assert.equal(code, null, `it ended by itself, after ${kill} kills: ${stderr}`);
      const [newest] = globSync('checkpoints/epoch-*', { cwd: killed }).sort().reverse();
      if (newest) states.add(newest);
    }
    assert.ok(states.size >= KILLS / 3, `kills met ${states.size} different checkpoints`);
    t.diagnostic(`${KILLS} kills met ${states.size} different newest checkpoints`);
    const end = await runCliHere(args(killed, EPOCHS, ...logs, '--resume'));
    assert.equal(end.code, 0, end.stderr);
    assertSameEnd(killed, whole);
    assert.equal(metrics(killed).join('\n'), metrics(whole).join('\n'));
    const steps = readEventFile(readFileSync(join(killed, 'events.out.tfevents.0.flipgrad'))).map(({ step }) => step);
    assert.deepEqual(
      steps.slice(1, -1),
      Array.from({ length: EPOCHS }, (_, i) => i + 1),
    );
    assert.equal(readFileSync(join(killed, 'metrics.csv'), 'utf8').trim().split('\n').length, EPOCHS + 1);
    assert.deepEqual(
      readdirSync(killed).filter((name) => name.startsWith('.')),
      [],
      'no leftovers',
    );
  });

  it('interrupted and terminated says how to go on, and goes on', { skip: slow }, async () => {
    const [whole, stopped] = [path('whole 2'), path('stopped')];
    const EPOCHS = 300;
    assert.equal((await runCli(args(whole, EPOCHS))).code, 0);
    for (const [signal, expected, command] of [
      ['SIGINT', 130, args(stopped, EPOCHS)],
      ['SIGTERM', 143, ['train', '--resume', stopped]],
      ['SIGHUP', 129, ['train', '--resume', stopped]],
    ] as const) {
      const { code, stderr } = await runCli(command, {
        startedBy: '"event":"epoch"',
        onStarted: (kill) => kill(signal),
      });
      assert.equal(code, expected, stderr);
      assert.equal(stderr, `Interrupted and saved. To go on: flipgrad train --resume ${stopped}\n`);
    }
    const contrary = await runCliHere(['train', '--resume', stopped, '--units', '32']);
    assert.equal(contrary.code, 2);
    assert.match(
      contrary.stderr,
      /--units is 32 here and 16 in .*stopped\. Expected the same value, no --units, or another folder for a new run/,
    );
    const { code, lines } = await runCli(['train', '--resume', stopped, '--units', '16', '--threads', '2']);
    assert.equal(code, 0);
    assert.deepEqual(
      lines()
        .map(({ event }) => event)
        .slice(0, 2),
      ['run', 'resumed'],
    );
    assertSameEnd(stopped, whole);
  });

  it('resumed with more epochs is that of so many epochs', { skip: slow }, async () => {
    const [long, short] = [path('long'), path('short')];
    await runCliHere(args(long, 60));
    await runCliHere(args(short, 20));
    const { code, stderr } = await runCliHere(['train', '--resume', short, '--epochs', '60']);
    assert.equal(code, 0, stderr);
    assertSameEnd(short, long);
    assert.equal(metrics(short).slice(-40).join('\n'), metrics(long).slice(-40).join('\n'));
    assert.equal(JSON.parse(readFileSync(join(short, 'run.json'), 'utf8')).config.epochs, 60);
  });
});

describe('a folder that disappears', () => {
  it('ends the training with a sentence that says so, and is not made again', async () => {
    const run = path('disappears');
    const { code, stderr } = await runCliHere(args(run, 100_000, '--checkpoint-every', '0'), {
      startedBy: '"epoch":3,',
      onStarted: () => renameSync(run, path('elsewhere')),
    });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^flipgrad: .*disappears was removed or renamed while process \d+ was using it; nothing can be saved there\. Expected the folder to stay until the process ends\.\n$/,
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name === 'disappears'),
      [],
    );
    rmSync(path('elsewhere'), { recursive: true });
  });
});

describe('a full disk', () => {
  /** A small file system, where we may mount one. */
  const disk = path('disk');
  let mounted = false;
  before(() => {
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'flipgrad-test', disk], { stdio: 'ignore' });
      mounted = true;
    } catch {
      // Not root, or no mount here: the limit on file sizes below is tested all the same.
    }
  });
  after(() => mounted && execFileSync('umount', [disk]));

  it('is a clear error with the last good checkpoint kept; with room again the run goes on', {
    skip: slow,
  }, async (t) => {
    if (!mounted) return t.skip('no right to mount');
    const EPOCHS = 400;
    const [whole, run, ballast] = [path('whole 3'), join(disk, 'run'), join(disk, 'ballast')];
    assert.equal((await runCli(args(whole, EPOCHS))).code, 0);
    const filled = await runCli(args(run, EPOCHS, '--checkpoint-every', '0'), {
      startedBy: '"epoch":20,',
      onStarted: () => fillUp(ballast),
    });
    assert.equal(filled.code, 2);
    assert.match(filled.stderr, /^flipgrad: .*\/run\/.* cannot be written: the disk is full\. Free some space\. /);
    assert.match(filled.stderr, /(The last good checkpoint, epoch-\d+-step-\d+, is kept|There is no checkpoint yet)\./);
    assert.match(filled.stderr, /To go on then: flipgrad train --resume .*\/run\n$/);
    const again = await runCli(['train', '--resume', run]);
    assert.equal(again.code, 2, 'still full');
    assert.match(again.stderr, /cannot be written: the disk is full/);
    rmSync(ballast);
    const { code, stderr, lines } = await runCli(['train', '--resume', run]);
    assert.equal(code, 0, stderr);
    const kept = filled.stderr.match(/epoch-\d+-step-\d+, is kept/)?.[0].slice(0, -9);
    const resumed = lines().find(({ event }) => event === 'resumed');
    assert.equal(resumed?.checkpoint, kept);
    assert.deepEqual(resumed?.damaged ?? [], []);
    assertSameEnd(run, whole);
    assert.equal(metrics(run).join('\n'), metrics(whole).join('\n'));
  });

  it('a limit on file sizes is one too', async () => {
    const run = path('limited');
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const limited = `ulimit -f 5; exec "$@"`;
    const command = [process.execPath, main, ...args(run, 5, '--checkpoint-every', '0', '--units', '64')];
    const child = spawn('bash', ['-c', limited, 'bash', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    for await (const text of child.stderr) stderr += text;
    assert.equal(child.exitCode ?? (await new Promise((resolve) => child.on('close', resolve))), 2);
    assert.match(stderr, /larger than this process may write\. Raise the limit\. There is no checkpoint yet\./);
    assert.deepEqual(readdirSync(join(run, 'checkpoints')), [], 'nothing half-written');
    assert.equal((await runCliHere(['train', '--resume', run])).code, 0);
  });
});

/** Writes a file until the disk takes no more. */
function fillUp(file: string): void {
  for (let size = 65536; size >= 1024; size /= 2)
    for (;;)
      try {
        writeFileSync(file, new Uint8Array(size), { flag: 'a' });
      } catch {
        break;
      }
  assert.ok(statSync(file).size > 0);
}
