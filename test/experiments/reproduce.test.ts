import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { reproduceCommand } from '../../cli/reproduce.ts';
import { experimentsByName } from '../../experiments/by-name.ts';
import { hintonNoise } from '../../experiments/hinton-noise/run.ts';
import type { NoiseTrial } from '../../experiments/hinton-noise/trial.ts';
import type { Experiment, Trial } from '../../experiments/kit/experiment.ts';
import { type ReproduceEvent, recordsOf, reproduce } from '../../experiments/kit/reproduce.ts';
import { NonFiniteError } from '../../src/index.ts';
import { provenance } from '../../src/platform/node/index.ts';
import { slow } from '../helpers/extent.ts';
import { root } from '../helpers/page.ts';
import { readPanel } from '../helpers/picture.ts';
import { runCli } from '../helpers/run-cli.ts';
import { runCliHere } from '../helpers/run-here.ts';

const out = mkdtempSync(join(tmpdir(), 'flipgrad-reproduce-'));
after(() => rmSync(out, { recursive: true }));

/** The real experiment on its smallest grid. */
const arms = ['deterministic', 'binary stochastic', 'dropout'];
const small = {
  ...hintonNoise,
  quick: {
    seeds: 2,
    trials: (seeds: readonly number[]): NoiseTrial[] =>
      seeds.flatMap((seed) => arms.map((arm) => ({ data: 'digits', arm, examples: 60, units: 8, epochs: 2, seed }))),
  },
};

async function go(signal: AbortSignal, onEvent: (event: ReproduceEvent) => void = () => {}) {
  const events: ReproduceEvent[] = [];
  const report = await reproduce(small, { form: 'quick', out, signal }, (event) => {
    events.push(event);
    onEvent(event);
  });
  return { events, report };
}

describe('reproduce', () => {
  const file = recordsOf('hinton-noise', { form: 'quick', out });
  const never = new AbortController().signal;
  const trialsRun = (events: readonly ReproduceEvent[]) => events.filter(({ event }) => event === 'trial').length;

  it('keeps finished trials when interrupted, and runs only the others then', async () => {
    const interrupt = new AbortController();
    const stopAfterTwo = (event: ReproduceEvent): void => {
      if (event.event === 'trial' && event.done === 2) interrupt.abort();
    };
    await assert.rejects(go(interrupt.signal, stopAfterTwo), { name: 'AbortError' });
    const first = readFileSync(file, 'utf8');
    assert.equal(first.trim().split('\n').length, 2);
    // A crash in the middle of a line.
    appendFileSync(file, '{"trial":{"data":"dig');
    const { events, report } = await go(never);
    const [plan] = events;
    assert.ok(plan.event === 'plan' && plan.trials === 6 && plan.left === 4 && plan.minutes > 0);
    assert.equal(trialsRun(events), 4);
    assert.ok(readFileSync(file, 'utf8').startsWith(first));
    assert.equal(report.findings.length, 3);
    const shares = events.flatMap((event) => (event.event === 'progress' ? [event.share] : []));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
  });

  it('runs no finished trial again, and renders the same report', async () => {
    const page = readFileSync(file.replace('.jsonl', '.html'), 'utf8');
    const { events } = await go(never);
    assert.equal(trialsRun(events), 0);
    assert.equal(readFileSync(file.replace('.jsonl', '.html'), 'utf8'), page);
  });

  it('reads records of the version before, which say cell where these say trial', async () => {
    const now = readFileSync(file, 'utf8');
    writeFileSync(file, now.replaceAll(/^\{"trial":/gm, '{"cell":'));
    const { events } = await go(never);
    assert.equal(trialsRun(events), 0);
    writeFileSync(file, now);
  });

  it('writes a page that needs no other file, with every arm and its curve', () => {
    const page = readFileSync(file.replace('.jsonl', '.html'), 'utf8');
    assert.doesNotMatch(page, /<link|<script|<img|src=|@import|url\((?!#)/);
    for (const arm of arms) assert.ok(page.includes(`<td>${arm}</td>`) && page.includes(`>${arm}</text>`), arm);
    // The first chart is of ratios, the second of lines with bands.
    const [, svg] = page.match(/<svg aria-label[\s\S]*?<\/svg>\n/g) ?? assert.fail();
    assert.ok(readPanel(svg).bands >= arms.length);
    const markdown = readFileSync(file.replace('.jsonl', '.md'), 'utf8');
    assert.match(markdown, /\| binary stochastic \|/);
  });

  it('gives a trial the same result again', async () => {
    const [trial] = small.quick.trials([1]);
    const stored = JSON.parse(readFileSync(file, 'utf8').split('\n')[0]);
    assert.deepEqual(stored.trial, trial);
    const again = await small.run(trial, { signal: never, onProgress() {} });
    assert.deepEqual(JSON.parse(JSON.stringify(again)), stored.result);
  });
});

/** A grid whose trials take no time. */
interface Coin extends Trial {
  readonly heads: number;
}
const coins = (runs: string[] = []): Experiment<Coin, { share: number }> => ({
  name: 'coins',
  title: 'Coins',
  question: 'Do coins fall on one side more often?',
  claim: { text: 'Most coins show heads', source: 'a test', published: 'No numbers.' },
  setting: 'Trials with more heads wait for those with fewer.',
  quick: { seeds: 1, trials: ([seed]) => [3, 2, 1, 0].map((heads) => ({ seed, heads })) },
  full: { seeds: 1, trials: () => [] },
  nameOf: ({ heads }) => `${heads} heads`,
  minutesOf: () => 1,
  ready: ({ heads }, finished) => finished.length >= heads,
  async run({ heads }, { onProgress }) {
    runs.push(`${heads}`);
    onProgress(0.5);
    await setTimeout(20);
    return { share: heads / 4 };
  },
  report: (finished) => {
    const share = finished.reduce((sum, { result }) => sum + result.share, 0) / finished.length;
    const outcome = share > 0.5 ? 'holds' : 'refuted';
    return {
      findings: [{ claim: 'Most coins show heads', outcome, evidence: `${share}.` }],
      learnt: [],
      tables: [],
      charts: [],
    };
  },
});

describe('a grid that several share', () => {
  const signal = new AbortController().signal;
  const trialsIn = (file: string): number[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).trial.heads);

  it('runs every trial once, each after those that it builds on, and leaves no locks', async () => {
    const folder = join(out, 'shared');
    const runs: string[] = [];
    const waited: ReproduceEvent[] = [];
    const go = () =>
      reproduce(coins(runs), { form: 'quick', out: folder, signal }, (event) => {
        if (event.event === 'waiting') waited.push(event);
      });
    const [a, b] = await Promise.all([go(), go()]);
    assert.deepEqual(runs.join(''), '0123');
    assert.deepEqual(a, b);
    assert.ok(waited.length > 0, 'each trial waits for the one before: somebody had nothing to do');
    assert.deepEqual(trialsIn(join(folder, 'coins-quick.jsonl')), [0, 1, 2, 3]);
    assert.deepEqual(readdirSync(folder).sort(), ['coins-quick.html', 'coins-quick.jsonl', 'coins-quick.md']);
  });

  it('takes over the trial of a process that has died', async () => {
    const folder = join(out, 'widowed');
    const file = join(folder, 'coins-quick.jsonl');
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const trial = JSON.stringify({ seed: 1, heads: 0 });
    const lock = join(`${file}.locks`, createHash('sha256').update(trial).digest('hex').slice(0, 16));
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, '.lock'), JSON.stringify({ token: 'x', pid: dead, host: hostname() }));
    await reproduce(coins(), { form: 'quick', out: folder, signal }, () => {});
    assert.deepEqual(trialsIn(file), [0, 1, 2, 3]);
  });

  it('says so when the trials that are left wait for each other', async () => {
    const stuck = { ...coins(), ready: () => false };
    const folder = join(out, 'stuck');
    await assert.rejects(
      reproduce(stuck, { form: 'quick', out: folder, signal }, () => {}),
      /wait for each other/,
    );
  });

  it('goes on without a trial whose numbers stop being finite, says so on the page, and tries it again', async () => {
    const folder = join(out, 'diverged');
    const told: ReproduceEvent[] = [];
    const go = (heads: number) => {
      const own = coins();
      const experiment: typeof own = {
        ...own,
        ready: (trial, finished) => trial.heads < 3 || finished.length === 3,
        run: async (trial, options) => {
          if (trial.heads === heads) throw new NonFiniteError('The loss is NaN.');
          return own.run(trial, options);
        },
      };
      return reproduce(experiment, { form: 'quick', out: folder, signal }, (event) => told.push(event));
    };
    await go(1);
    assert.deepEqual(
      told.filter(({ event }) => event === 'failed'),
      [{ event: 'failed', trial: '1 heads', message: 'The loss is NaN.' }],
    );
    // The one that failed, and the one that waits for it.
    const last = told.at(-1);
    assert.ok(last?.event === 'result' && last.missing === 2);
    const page = () => readFileSync(join(folder, 'coins-quick.md'), 'utf8');
    assert.match(page(), /Trials without a result: 2 \(1 heads: The loss is NaN\.\)/);
    await go(-1);
    assert.deepEqual(trialsIn(join(folder, 'coins-quick.jsonl')), [2, 0, 1, 3]);
    assert.doesNotMatch(page(), /without a result/);
  });

  it('keeps the commit and the version of Node in every record, and on the page', () => {
    const folder = join(out, 'shared');
    const [line] = readFileSync(join(folder, 'coins-quick.jsonl'), 'utf8').split('\n');
    const { node, commit } = JSON.parse(line);
    assert.equal(node, process.versions.node);
    assert.equal(commit, provenance().commit);
    if (existsSync(join(root, '.git'))) {
      const head = execFileSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
      assert.match(String(commit), new RegExp(`^${head}\\+?$`));
    }
    if (commit) assert.ok(readFileSync(join(folder, 'coins-quick.md'), 'utf8').includes(commit.slice(0, 10)));
  });
});

describe('flipgrad reproduce', () => {
  it('exits with 1 when a claim is refuted, and with 0 when all hold', async () => {
    // The test's own exit code is put back.
    const before = process.exitCode;
    try {
      for (const [name, code] of [
        ['coins', 1],
        ['biased-coins', 0],
      ] as const) {
        const trials = ([seed]: readonly number[]) => [
          { seed, heads: 0 },
          ...[4, 4, 4].map((heads, i) => ({ seed, heads, i })),
        ];
        const biased = { ...coins(), name, quick: { seeds: 1, trials }, ready: () => true };
        const experiment = code === 1 ? coins() : biased;
        process.exitCode = 0;
        const command = reproduceCommand({ [name]: async () => experiment as unknown as Experiment });
        await command.parseAsync(['node', 'reproduce', name, '--quick', '--out', join(out, name)]);
        assert.equal(process.exitCode, code, name);
      }
    } finally {
      process.exitCode = before;
    }
  });

  it('knows every experiment by its own name', async () => {
    for (const [name, load] of Object.entries(experimentsByName)) assert.equal((await load()).name, name);
  });

  it('names the nearest experiment for a name that it does not know', async () => {
    const { code, stderr } = await runCliHere(['reproduce', 'hinton-nois']);
    assert.equal(code, 2);
    assert.match(stderr, /hinton-noise/);
  });

  it('runs a medium form where there is one, in files of its own', async () => {
    const before = process.exitCode;
    const folder = join(out, 'medium');
    try {
      const medium = { seeds: 1, trials: ([seed]: readonly number[]) => [{ seed, heads: 2 }] };
      const two = { ...coins(), name: 'two', medium, ready: () => true } as unknown as Experiment;
      const command = reproduceCommand({ two: async () => two });
      await command.parseAsync(['node', 'reproduce', 'two', '--medium', '--out', folder]);
    } finally {
      process.exitCode = before;
    }
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => !name.endsWith('.locks'))
        .toSorted(),
      ['two-medium.html', 'two-medium.jsonl', 'two-medium.md'],
    );
    assert.match(readFileSync(join(folder, 'two-medium.md'), 'utf8'), /flipgrad reproduce two --medium --seeds 1/);
    const none = await runCliHere(['reproduce', 'hinton-noise', '--medium']);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /"hinton-noise" has no medium form\. Expected the quick form \(--quick\)/);
    const both = await runCliHere(['reproduce', 'conditional-text', '--medium', '--quick']);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /Expected one of them/);
  });

  it('says so where records cannot stand, and how many seeds are expected', async () => {
    const file = join(out, 'no-folder');
    writeFileSync(file, '');
    const none = await runCliHere(['reproduce', 'hinton-noise', '--quick', '--out', file]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /Records cannot stand in ".*no-folder" .*Expected another folder/);
    const half = await runCliHere(['reproduce', 'hinton-noise', '--seeds', '1.5']);
    assert.equal(half.code, 2);
    assert.match(half.stderr, /Expected a whole number from 1 up/);
  });

  it('leaves no folder where its data are away, and one that was there', async () => {
    const away = { ...small, run: () => Promise.reject(new RangeError('The data are away.')) };
    const there = join(out, 'there');
    mkdirSync(there);
    for (const folder of [join(out, 'not there'), there])
      await assert.rejects(
        reproduce(away, { form: 'quick', out: folder, signal: new AbortController().signal }, () => {}),
        /data are away/,
      );
    assert.deepEqual([existsSync(join(out, 'not there')), readdirSync(there)], [false, []]);
  });

  it('states its hours first, and exits with 130 when interrupted', { skip: slow }, async () => {
    const folder = join(out, 'cli');
    const args = ['reproduce', 'hinton-noise', '--quick', '--out', folder];
    const finished = await runCli(args, { startedBy: '"plan"', onStarted: (kill) => kill('SIGINT') });
    assert.equal(finished.code, 130, finished.stderr);
    assert.match(finished.stderr, /15 of 15 trials to run: about [\d.]+ hours[\s\S]*The same command goes on/);
  });
});
