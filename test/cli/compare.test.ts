/** `flipgrad train --compare`, which is how the main job ends. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Comparison, ofError } from '../../cli/compare.ts';
import { comparisonSentence, comparisonTable } from '../../cli/compare-report.ts';
import { modelOf, presetOf } from '../../cli/named-models.ts';
import { trainCommand } from '../../cli/train.ts';
import { DEFAULTS } from '../../cli/train-config.ts';
import { createModel, resolveNeuron } from '../../src/index.ts';
import { skipsInTraining } from '../../src/nn/paths.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { refused } from '../helpers/refused.ts';
import { runHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-compare-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

/** Four classes in a plane of six features: no line tells them apart. */
const rows = Array.from({ length: 600 }, (_, i) => {
  const [x, y] = [Math.sin(1.7 * i), Math.cos(2.3 * i)];
  const label = (x > 0 ? 1 : 0) + (x * y > 0 ? 2 : 0);
  return [x, y, x + y, x - y, x / 2, y / 2]
    .map((value) => value.toFixed(4))
    .concat(String(label))
    .join(',');
});
writeFileSync(path('plane.csv'), `a,b,c,d,e,f,label\n${rows.join('\n')}\n`);
const NET = [
  '--units',
  '64',
  '--blocks',
  '8',
  '--gater',
  '4',
  '--rate',
  '0.25',
  '--neuron',
  'noisy-top-k:value=sigmoid',
];
const TRAIN = ['--data', path('plane.csv'), '--batch', '20', '--lr', '0.01', '--epochs', '8', '--threads', '1'];

describe('flipgrad train --compare', () => {
  it('prints the rows of the table after the result, and what they say', async () => {
    const args = [...NET, ...TRAIN, '--run', path('run'), '--compare', '--json'];
    const { code, stdout, stderr } = await runHere(trainCommand(), args);
    assert.equal(code, 0, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const events = lines.map(({ event }) => event);
    const result = lines[events.indexOf('result')];
    const rivals = lines.filter(({ event }) => event === 'rival');
    assert.ok(rivals.length > 0);
    const compared = lines.filter(({ event }) => event === 'compared');
    const last = lines.at(-1);
    assert.deepEqual(events.slice(events.indexOf('result')), [
      'result',
      ...rivals.map(() => 'rival'),
      ...['compared', 'compared', 'compared', 'compared', 'comparison'],
    ]);
    const [own, all, sameError, sameCost] = compared;
    assert.deepEqual([own.testError, own.validError], [result.testError.threshold, result.validError]);
    // The same network: only what is computed differs.
    assert.deepEqual([all.testError, all.validError], [own.testError, own.validError]);
    assert.ok(own.multiplyAdds < 0.6 * all.multiplyAdds, `${own.multiplyAdds} of ${all.multiplyAdds}`);
    assert.equal(last.reached, sameError.validError <= own.validError);
    assert.ok(Math.abs(sameCost.multiplyAdds - own.multiplyAdds) <= (6 + 4) / 2, 'as near as whole units come');
    assert.ok(last.ladder.includes(sameCost.units) && last.ladder.includes(sameError.units));
    for (const { microseconds, times } of compared)
      for (const way of ['one', 'batch']) assert.ok(microseconds[way] > 0 && times[way] > 0);
    assert.deepEqual([own.times.one, own.times.batch], [1, 1]);
    assert.match(last.sentence, /^(Gates (do not )?pay|No dense network)/);
    assert.equal(last.batch, 20);
  });

  it('ends with one table and one sentence for people, and goes with runs that are done', async () => {
    const terminal = process.stdout.isTTY;
    process.stdout.isTTY = true;
    try {
      const { code, stdout, stderr } = await runHere(trainCommand(), ['--resume', path('run'), '--compare']);
      assert.equal(code, 0, stderr);
      const table = stdout.trimEnd().split('\n').slice(-7);
      assert.match(table[0], /^ +test +valid +µs, 1 +µs, 20 +multiply-adds$/);
      for (const [i, name] of ['(a) closed blocks', '(b) all blocks', '(c) dense', '(d) dense'].entries())
        assert.ok(table[i + 1].startsWith(name), table[i + 1]);
      assert.equal(table[5], '');
      assert.match(table[6], /^\S.*\.$/);
      assert.match(stderr, /rival dense \d+ rectifier → dense 4: validation error \d/);
    } finally {
      process.stdout.isTTY = terminal;
    }
  });

  it('interrupted among the rivals, keeps the network and says how to compare it', async () => {
    const run = path('interrupted');
    const { code, stderr } = await runHere(trainCommand(), [...NET, ...TRAIN, '--run', run, '--compare', '--json'], {
      startedBy: '"event":"result"',
      onStarted: (kill) => kill('SIGINT'),
    });
    assert.equal(code, 130, stderr);
    assert.ok(stderr.includes(`to compare it: flipgrad train --resume ${run} --compare`), stderr);
    assert.ok(existsSync(join(run, 'weights.safetensors')));
    assert.ok(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).result.validError < 1);
  });

  it('is refused where there is nothing to compare, before anything is written', async () => {
    for (const [args, message] of [
      [
        ['--model', 'dense', '--units', '8'],
        /the network is hidden: dense 8 .*Expected a gated layer and the layer to/,
      ],
      [['--layers', 'dense 8, gated 16/4 rectifier'], /--compare puts a gated layer beside dense ones/],
      [
        ['--task', 'regression', '--target', 'a', '--units', '32'],
        /--compare measures errors of classes, and the task is reg/,
      ],
    ] as const) {
      const { code, stderr } = await refused(trainCommand(), [
        ...args,
        ...TRAIN,
        '--compare',
        '--run',
        path('refused'),
      ]);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
      assert.ok(!readdirSync(folder).includes('refused'));
    }
  });
});

describe('the dense network of the same error', () => {
  /** Networks that err 1/width. */
  const search = async (limit: number, start: number, most: number, error = (width: number) => 1 / width) => {
    const tried: number[] = [];
    const found = await ofError(limit, start, most, async (width) => {
      tried.push(width);
      return { width, validError: error(width) };
    });
    return [found.net.width, found.reached, tried];
  };

  it('is the smallest rung that errs no more, from the one of the same cost down or up', async () => {
    assert.deepEqual(await search(1 / 50, 100, 400), [50, true, [100, 71, 50, 35]]);
    assert.deepEqual(await search(1 / 150, 100, 400), [199, true, [100, 141, 199]]);
    assert.deepEqual(await search(1, 3, 8), [1, true, [3, 2, 1]]);
  });

  it('is the best of them where none is as good, up to as many units as the gated layer has', async () => {
    assert.deepEqual(await search(0, 100, 250), [250, false, [100, 141, 199, 250]]);
    assert.deepEqual(await search(0, 100, 250, (width) => Math.abs(width - 141) + 1), [
      141,
      false,
      [100, 141, 199, 250],
    ]);
    assert.deepEqual(await search(0, 100, 100), [100, false, [100]]);
  });
});

describe('what is said of gates', () => {
  const net = (is: Comparison['rows'][number]['is'], units: number, one: number, batch: number) => ({
    ...{ is, units, layers: '', validError: 0.03, testError: units / 10_000, multiplyAdds: 1000 },
    ...{ microseconds: { one, batch }, times: { one, batch } },
  });
  const comparison = (one: number, batch: number, reached = true): Comparison => ({
    ...{ event: 'comparison', reached, ladder: [64, 128, 181], batch: 100, engine: 'e' },
    rows: [
      net('closed blocks skipped', 512, 1, 1),
      net('all blocks computed', 512, 5, 3),
      net('the same error', 128, one, batch),
      net('the same cost', 64, 1, 1),
    ],
  });

  it('follows from the times, as they are printed', () => {
    const begins = (one: number, batch: number) =>
      /^Gates (.*) here:/.exec(comparisonSentence(comparison(one, batch)))?.[1];
    assert.equal(begins(1.4, 1.01), 'pay');
    assert.equal(begins(1.4, 1.004), 'pay one at a time alone');
    assert.equal(begins(0.4, 1.3), 'pay 100 at a time alone');
    assert.equal(begins(0.4, 1), 'do not pay');
    const told = comparisonSentence(comparison(0.4, 0.6));
    assert.match(told, /the gated network is 0\.40 and 0\.60 times as fast, one at a time and 100 at a time;/);
    assert.match(told, /all blocks computed it is 5\.00 and 3\.00 times as fast/);
    assert.match(told, /\(d\), .* has a test error of 0\.64% against its 5\.12%\.$/);
  });

  it('says where no dense network is as good', () => {
    const none = comparison(2, 2, false);
    assert.match(
      comparisonSentence(none),
      /^No dense network of up to 181 units errs as little on the validation data/,
    );
    assert.match(comparisonTable(none), /^\(c\) dense 128, the best +1\.28%/m);
  });

  it('fits a terminal of 80 columns', () => {
    for (const line of comparisonTable(comparison(1234.5, 1234.5)).split('\n').slice(1))
      assert.ok(line.length < 80, line);
  });
});

it('the main job has gates that skip in training too, and a gater of under a third of its work', async () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(scripts.start, 'node cli/main.ts train --preset sparse --compare');
  const config = { ...DEFAULTS, ...presetOf('sparse', 'gated') };
  const layers = modelOf(config)?.layers(config, { inputs: 784, outputs: 10 }) ?? [];
  const engine = await createEngine({ threads: 1 });
  const { cost } = createModel(engine, { inputs: 784, layers });
  engine.close();
  assert.ok(cost.gater < (cost.gater + (config.rate as number) * cost.dense) / 3);
  assert.ok(skipsInTraining(resolveNeuron(config.neuron, 0.125)));
  assert.ok(config.units >= 1024 && config.blocks >= 16 && config.blocks <= 32);
});
