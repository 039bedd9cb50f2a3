import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { trainCommand } from '../../cli/train.ts';
import { encodeIdx } from '../../src/data/idx.ts';
import { flagsUnder } from '../helpers/flags.ts';
import { readPanel } from '../helpers/picture.ts';
import { refused } from '../helpers/refused.ts';
import { runCli } from '../helpers/run-cli.ts';
import { runCliHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-cli-'));
after(() => rmSync(folder, { recursive: true }));

/** A CSV of two well-separated classes in four features. */
function csvFile(name: string, rows = 200, damage: (lines: string[]) => void = () => {}): string {
  const lines = ['a,b,c,d,label'];
  for (let i = 0; i < rows; i++) {
    const label = i % 2;
    const noise = (((i * 7919) % 97) / 97 - 0.5) * 0.4;
    lines.push([label + noise, 1 - label - noise, noise, -noise, label].map((x) => x.toFixed(3)).join(','));
  }
  for (let i = 1; i < lines.length; i++) lines[i] = lines[i].replace(/\.000$/, '');
  damage(lines);
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const SMALL = [
  '--units',
  '16',
  '--blocks',
  '4',
  '--gater',
  '8',
  '--rate',
  '0.25',
  '--epochs',
  '3',
  '--batch',
  '20',
  '--optimizer',
  'sgd',
  '--lr',
  '0.2',
];

const small = (...more: string[]): string[] => flagsUnder(SMALL, more);

describe('flipgrad train', () => {
  it('prints JSON lines when piped, the result last, with every field', async () => {
    const { code, stderr, lines } = await runCli(['train', '--data', csvFile('good.csv'), ...small('--seed', '7')]);
    assert.equal(code, 0, stderr);
    const events = lines();
    assert.deepEqual(
      events.map(({ event }) => event),
      ['data', 'run', 'epoch', 'epoch', 'epoch', 'result'],
    );
    const result = events.at(-1) as Record<string, never>;
    for (const mode of ['sampled', 'threshold', 'meanField'])
      assert.ok(
        (result.testError as Record<string, number>)[mode] >= 0 &&
          (result.testError as Record<string, number>)[mode] <= 1,
      );
    for (const field of ['executed', 'dense', 'gater']) assert.ok((result.flops as Record<string, number>)[field] > 0);
    for (const field of ['validError', 'trainLoss', 'density', 'seconds', 'threads'])
      assert.equal(typeof result[field], 'number', field);
    assert.equal(result.seed, 7);
    assert.match(result.engine, /^wasm-/);
    assert.match(result.dataChecksum, /^[0-9a-f]{64}$/);
    assert.ok((result.testError as Record<string, number>).meanField < 0.1, 'two separated classes are learnt');
  });

  it('says which settings do nothing for a network without gates', async () => {
    const idle = ['--model', 'dense', '--gater-lr', '0.1', '--epochs', '1', '--run', 'none'];
    const { code, stderr } = await runCliHere(['train', '--data', csvFile('good.csv'), ...small(...idle)]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--model dense has no gates, so that this does nothing: (--[a-z]+, )*--gater-lr\./);
  });

  it('gives the same result for the same seed, whatever the threads', async () => {
    const data = csvFile('same.csv');
    const runs = [];
    for (const threads of ['1', '2'])
      runs.push(await runCliHere(['train', '--data', data, ...small('--threads', threads)]));
    const results = runs.map(({ lines }) => {
      const { seconds, threads, ...rest } = lines().at(-1) as Record<string, unknown>;
      assert.ok(seconds && threads);
      return rest;
    });
    assert.deepEqual(results[0], results[1]);
  });

  it('writes its run folder complete, and refuses one that is in use', async () => {
    const out = join(folder, 'run');
    const args = ['train', '--data', csvFile('run.csv'), ...small('--run', out, '--log', 'csv,tensorboard')];
    const { code, stderr, lines } = await runCliHere(args);
    assert.equal(code, 0, stderr);
    assert.deepEqual(readdirSync(out).sort(), [
      'checkpoints',
      'curves.svg',
      'events.out.tfevents.0.flipgrad',
      'metrics.csv',
      'metrics.jsonl',
      'run.json',
      'weights.safetensors',
    ]);
    const metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(metrics[0].event, 'session');
    const events = metrics.slice(1).map(({ time, ...event }) => event);
    const [{ event, told }, ...others] = lines();
    assert.deepEqual([event, told], ['data', ['predicts label (2 classes: 0, 1) from 4 features: a, b, c, d']]);
    assert.deepEqual([{ event: 'run', folder: out }, ...events], others);
    const record = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    assert.equal(record.config.units, 16);
    assert.deepEqual(record.result, events.at(-1));
    assert.match(record.versions.flipgrad, /^\d+\.\d+\.\d+/);
    for (const part of ['train', 'valid', 'test']) assert.match(record.data.checksums[part], /^[0-9a-f]{64}$/);
    const svg = readFileSync(join(out, 'curves.svg'), 'utf8');
    assert.equal(readPanel(svg).lines.length, 2 + 2 + 3);
    const again = await runCliHere(args);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /holds checkpoints already\. Expected a new or empty folder/);
  });

  it('makes a folder of its own under runs, or none', async () => {
    const args = ['train', '--data', csvFile('own.csv'), ...small('--epochs', '1', '--neuron', 'top-k:k=2')];
    const env = { FLIPGRAD_RUNS: join(folder, 'own runs') };
    await Promise.all([runCli(args, { env }), runCli(args, { env })]);
    const names = readdirSync(env.FLIPGRAD_RUNS);
    assert.equal(names.length, 2);
    for (const name of names) assert.match(name, /^\d{8}-\d{6}-top-k_k_2-1(-2)?$/);
    const { lines } = await runCliHere([...args, '--run', 'none'], { env });
    assert.deepEqual(
      lines().map(({ event }) => event),
      ['data', 'epoch', 'result'],
    );
    assert.equal(readdirSync(env.FLIPGRAD_RUNS).length, 2);
  });

  it('takes gate policies, balancing penalties and selection biases, and top-k follows the rate', async () => {
    const policies: [string[], number][] = [
      [['--neuron', 'top-k', '--balance', '--sparsity', 'none'], 0.25],
      [['--neuron', 'noisy-top-k:k=2,value=sigmoid', '--sparsity', 'importance+load=0.2+switch'], 0.5],
      [['--neuron', 'top-k', '--rate', 'none'], 0.25],
    ];
    for (const [flags, density] of policies) {
      const { code, stderr, lines } = await runCliHere(['train', '--data', csvFile('policy.csv'), ...small(...flags)]);
      assert.equal(code, 0, stderr);
      assert.equal((lines().at(-1) as { density?: number }).density, density, flags.join(' '));
    }
    const hard = ['--neuron', 'hard-concrete', '--sparsity', 'expected-l0+expected-flops'];
    assert.equal((await runCliHere(['train', '--data', csvFile('hard.csv'), ...small(...hard)])).code, 0);
  });

  it('stops on an interrupt with code 130', async () => {
    const { code, stderr, lines } = await runCli(
      ['train', '--data', csvFile('long.csv'), ...small('--epochs', '100000')],
      {
        startedBy: '"epoch":1,',
        onStarted: (kill) => kill('SIGINT'),
      },
    );
    assert.equal(code, 130);
    const { event, folder: path } = lines()[1] as Record<string, string>;
    assert.equal(event, 'run');
    assert.equal(stderr, `Interrupted and saved. To go on: flipgrad train --resume ${path}\n`);
  });
});

describe('flipgrad train refuses bad input with one sentence and code 2', () => {
  const cases: [string, string[], RegExp][] = [
    [
      'an unknown neuron',
      ['--neuron', 'strait-through'],
      /no neuron "strait-through". Did you mean "straight-through"\?/,
    ],
    ['an unknown option of a neuron', ['--neuron', 'stochastic-binary:base=none'], /no option "base".*"baseline"/],
    ['a rate of 1', ['--rate', '1'], /between 0 and 1/],
    ['a rate that is no number', ['--rate', 'many'], /number/],
    [
      'units that the blocks do not divide',
      ['--units', '65', '--blocks', '8'],
      /65 units.*8 equal blocks.*multiple of 8, such as 64/,
    ],
    ['an unknown penalty', ['--sparsity', 'kk'], /no sparsity penalty "kk". Did you mean "kl"/],
    ['a penalty that does not fit', ['--neuron', 'rectifier', '--sparsity', 'kl'], /"kl" is on probabilities.*"l1"/],
    ['a balance of gates that do not select', ['--balance'], /"straight-through" does not select\. Expected `nudge`/],
    ['a part of a unit', ['--neuron', 'top-k:k=0.5'], /"k" of "top-k" is "0.5"\. Expected a whole number from 0/],
    ['an unknown optimizer', ['--optimizer', 'sgdd'], /no optimizer "sgdd". Did you mean "sgd"/],
    ['momentum with adam', ['--optimizer', 'adam', '--momentum', '0.9'], /--momentum 0.9 goes with --optimizer sgd/],
    ['an unknown flag', ['--epoch', '3'], /^flipgrad: unknown option '--epoch'.*--epochs/s],
    ['a missing path', ['--data', '/no/such/place'], /no\/such\/place/],
    ['a negative seed', ['--seed', '-1'], /seed/],
    ['no threads', ['--threads', '0'], /threads/],
    ['no such log', ['--log', 'csv,tensorbord'], /Did you mean "tensorboard"/],
    ['a log without a folder', ['--run', 'none', '--log', 'csv'], /--log writes into the folder of a run/],
    ['a run to resume that is not there', ['--resume', '/no/run'], /\/no\/run holds no run: there is no run.json/],
    ['--resume without a folder', ['--resume', '--run', 'none'], /--resume wants the folder of a run/],
    ['a BLAS that is not there', ['--blas', '/no/blas.so'], /BLAS "\/no\/blas.so".*path of a library/],
    [
      'a loss that is NaN',
      ['--lr', '1e30', '--epochs', '2'],
      /stopped at step \d+: .*(made ".*" NaN|operation ".*" in layer)/,
    ],
  ];
  for (const [name, args, message] of cases)
    it(name, async () => {
      const data = args.includes('--data') ? [] : ['--data', csvFile('cases.csv')];
      const out = join(folder, 'refused');
      const given = [
        ...data,
        ...small(...args),
        ...(args.includes('--resume') || args.includes('--run') ? [] : ['--run', out]),
      ];
      const { code, stdout, stderr } = await runCliHere(['train', ...given]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length <= 2, true, stderr);
      assert.doesNotMatch(stderr, /\n {4}at /);
      assert.equal(stdout.includes('"result"'), false);
      // Training that diverges has begun: its run stays, without a result.
      assert.equal(existsSync(out), name === 'a loss that is NaN');
      if (existsSync(out)) assert.equal(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).result, undefined);
    });

  it('a ragged CSV row, with its line', async () => {
    const data = csvFile('ragged.csv', 50, (lines) => {
      lines[17] = '1,2';
    });
    const { code, stderr } = await refused(trainCommand(), ['--data', data, ...small()]);
    assert.equal(code, 2);
    assert.match(stderr, /line 18/i);
  });

  it('a truncated IDX file', async () => {
    const images = encodeIdx({ shape: [20, 4, 4], data: new Uint8Array(320) });
    writeFileSync(join(folder, 'train-images-idx3-ubyte'), images.subarray(0, 200));
    writeFileSync(join(folder, 'train-labels-idx1-ubyte'), encodeIdx({ shape: [20], data: new Uint8Array(20) }));
    const { code, stderr } = await refused(trainCommand(), ['--data', folder, ...small()]);
    assert.equal(code, 2);
    assert.match(stderr, /train-images-idx3-ubyte/);
  });
});
