/** Sweeps over networks and neurons of the user's own: workers run the files that their command line names, and no others. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { LAUNCHERS } from '../../cli/launchers.ts';
import { codeMisfit } from '../../cli/own-code.ts';
import { sweepCommand } from '../../cli/sweep.ts';
import { sweepOfFile } from '../../cli/sweep-file.ts';
import { trainCommand } from '../../cli/train.ts';
import { checkSweep, planSweep } from '../../src/index.ts';
import { openServer } from '../../src/platform/node/sweep/database.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { flagsOf } from '../../src/platform/node/sweep/trial-process.ts';
import { slow } from '../helpers/extent.ts';
import { noPostgres, startPostgres } from '../helpers/postgres.ts';
import { refused } from '../helpers/refused.ts';
import { runCli } from '../helpers/run-cli.ts';
import { runHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-own-sweep-'));
after(() => rmSync(folder, { recursive: true }));
const path = (...names: string[]): string => join(folder, ...names);
const file = (name: string, text: string): string => {
  writeFileSync(path(name), text);
  return path(name);
};

/** 60 rows of two classes. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const noise = (((i * 7919) % 97) / 97 - 0.5) * 0.8;
  return `${[(i % 2) + noise, 1 - (i % 2) - noise, noise, -noise].map((x) => x.toFixed(3)).join(',')},${i % 2}`;
});
const data = file('two.csv', `a,b,c,d,label\n${rows.join('\n')}\n`);

const NET = `
import { dense, module } from 'flipgrad';
import { add } from 'flipgrad/tensor';
const twice = module('twice', (scope, x) => add(x, scope.call(dense(8, 'tanh'), x)));
export default ({ classes, neuron }) => [dense(8, neuron), twice, dense(classes)];
`;
const sweepOf = (name: string, sweep: object): string =>
  file(`${name}.ts`, `export default ${JSON.stringify(sweep)};\n`);
const train = { data, batch: 20, epochs: 1 };
const resultsOf = (name: string) => JSON.parse(readFileSync(path(name, 'results.json'), 'utf8')).results;

describe('a sweep over one’s own code', () => {
  it('trains a network of a file with several neurons, and refuses another file under its name', {
    skip: slow,
    timeout: 300_000,
  }, async () => {
    const net = file('net.mjs', NET);
    const sweep = sweepOf('nets', { train, space: { neuron: ['rloo', 'straight-through'] }, search: 'grid' });
    const args = ['sweep', sweep, '--folder', path('nets'), '--net', net, '--json'];
    const { code, stderr } = await runCli(args);
    assert.equal(code, 0, stderr);
    const results = resultsOf('nets');
    assert.deepEqual(
      results.map(({ outcome }: { outcome: { state: string } }) => outcome.state),
      ['done', 'done'],
    );
    const record = JSON.parse(readFileSync(path('nets', 'trials', 'c000-s1', 'run.json'), 'utf8'));
    assert.deepEqual([record.config.model, record.own[0].file], ['net', net]);
    file('net.mjs', `${NET}// changed\n`);
    const other = await runCli(args);
    assert.deepEqual([other.code, /has begun with another `code`/.test(other.stderr)], [2, true], other.stderr);
    const none = await runCli(['sweep', sweep, '--folder', path('nets')]);
    assert.deepEqual([none.code, /has begun with another `code`/.test(none.stderr)], [2, true], none.stderr);
  });

  it('trains texts of layers', { skip: slow, timeout: 300_000 }, async () => {
    const layers = ['dense 8 tanh', 'dense 8 tanh, residual(dense 8 rectifier), gated 8/2 50%'];
    const sweep = sweepOf('chains', { train, space: { layers }, search: 'grid' });
    const { code, stderr } = await runCli(['sweep', sweep, '--folder', path('chains'), '--json']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      resultsOf('chains').map(({ outcome }: { outcome: { state: string } }) => outcome.state),
      ['done', 'done'],
    );
  });

  it('takes files from the command line alone', async () => {
    for (const [name, sweep, message] of [
      [
        'by-train',
        { train: { ...train, net: path('net.mjs') }, space: { lr: [0.1] } },
        /`train` has "net", which each machine says for itself\. Expected --net/,
      ],
      [
        'by-space',
        { train, space: { use: [path('net.mjs')] } },
        /`space` has "use", which each machine says for itself\. Expected --use/,
      ],
      ['by-code', { train, space: { lr: [0.1] }, code: [] }, /has a field `code`\. Expected --net FILE or --use FILE/],
    ] as const) {
      const { code, stderr } = await refused(sweepCommand(), [sweepOf(name, sweep), '--folder', path(name)]);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
    }
    const missing = [sweepOf('missing', { train, space: { lr: [0.1] } }), '--net', path('nothing.mjs')];
    const { code, stderr } = await refused(sweepCommand(), missing);
    assert.deepEqual([code, /There is no file .*nothing\.mjs/.test(stderr)], [2, true], stderr);
  });

  it('a definition in a database names files by their checksum, which a worker’s own have to have', () => {
    const code = [{ flag: 'net', file: 'net.mjs', sha256: 'ab'.repeat(32), export: 'deep' }] as const;
    const sweep = { name: 'x', space: { lr: [0.1] }, code };
    assert.deepEqual(checkSweep(sweep, 'x').code, code);
    for (const wrong of [
      'x',
      [1],
      [{ flag: 'run', file: '', sha256: '' }],
      [{ flag: 'net', file: 1, sha256: '' }],
      Array(101).fill(code[0]),
    ])
      assert.throws(() => checkSweep({ ...sweep, code: wrong }, 'x'), /`code` is .* Expected a list of/);
    assert.equal(codeMisfit('x', code, [...code]), undefined);
    assert.equal(codeMisfit('x', code, [{ ...code[0], file: 'another name' }]), undefined);
    assert.match(
      codeMisfit('x', code, []) ?? '',
      /has code of --net net\.mjs#deep \(SHA-256 abababababab…\)\. Expected the same files/,
    );
    assert.match(codeMisfit('x', code, [{ ...code[0], sha256: '' }]) ?? '', /Expected the same files/);
    assert.match(codeMisfit('x', code, [{ ...code[0], export: 'other' }]) ?? '', /Expected the same files/);
    assert.match(codeMisfit('x', [], code) ?? '', /has no code of files\. Expected neither --net nor --use/);
  });

  it('printed scripts start workers with the same files', () => {
    const flags = { workers: 2, checkpointEvery: 30, image: 'x', net: 'my net.ts', use: ['a.ts'] };
    assert.match(LAUNCHERS.slurm('s', flags), /worker --sweep s [\s\S]* --net 'my net\.ts' --use a\.ts\n/);
    assert.match(LAUNCHERS.kubernetes('s', flags), /"--net","my net\.ts","--use","a\.ts"/);
  });

  it('workers of a Postgres server leave a sweep with other code alone', {
    skip: noPostgres,
    timeout: 300_000,
  }, async () => {
    const server = await startPostgres();
    try {
      const net = file('worker-net.mjs', NET);
      const sweep = sweepOf('shared', { train, space: { neuron: ['rloo'] }, search: 'grid' });
      const database = ['--db', server.url, '--folder', path('shared')];
      const begun = await runCli(['sweep', sweep, ...database, '--net', net]);
      assert.equal(begun.code, 0, begun.stderr);
      for (const own of [[], ['--net', file('other-net.mjs', `${NET}\n`)]]) {
        const { code, stderr } = await runCli(['worker', '--sweep', 'shared', ...database, ...own]);
        assert.deepEqual([code, /Expected the same files/.test(stderr)], [2, true], stderr);
      }
      const fits = await runCli(['worker', '--sweep', 'shared', ...database, '--net', net]);
      assert.equal(fits.code, 0, fits.stderr);
      // Of all sweeps that are not complete, one without such files and one with others.
      const sweeps = await openServer(server.url);
      const store = new SweepStore(sweeps);
      await store.register(
        checkSweep({ space: { lr: [0.1] }, code: [{ flag: 'use', file: 'f', sha256: '' }] }, 'foreign'),
      );
      await sweeps.close();
      const skipped = await runCli(['worker', ...database]);
      assert.equal(skipped.code, 0, skipped.stderr);
      assert.match(skipped.stderr, /The sweep "foreign" has code of --use f .* Its trials are left to others\./);
    } finally {
      server.stop();
    }
  });
});

describe('a sweep over a text or a data set by name', () => {
  it('keeps names, makes paths full, and its trials train', async () => {
    const text = file('words.txt', 'the cat sat on the mat and looked at the moon. '.repeat(60));
    for (const [source, task, layers] of [
      [`text:${text}`, 'classification', 'embedding 256 4, dense 256'],
      [text, 'next-token', 'embedding 256 4, dense 256'],
    ] as const) {
      const relativeSource = source.replace(text, relative(process.cwd(), text));
      const sweep = sweepOf(`texts-${task}`, {
        train: { data: relativeSource, task, layers, epochs: 1, batch: 50, optimizer: 'adam' },
        space: { lr: [0.01, 0.02] },
        search: 'grid',
      });
      const { definition } = await sweepOfFile(sweep);
      assert.equal(definition.train.data, source);
      const [{ settings }] = planSweep(definition, new Map()).trials;
      const { code, stdout, stderr } = await runHere(trainCommand(), [
        ...flagsOf(settings),
        ...['--threads', '1', '--run', 'none', '--json'],
      ]);
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout.trim().split('\n').at(-1) as string).event, 'result');
    }
    const pen = sweepOf('pen', { train: { data: 'pen-strings', task: 'ctc' }, space: { lr: [0.01, 0.02] } });
    assert.equal((await sweepOfFile(pen)).definition.train.data, 'pen-strings');
    const both = sweepOf('both', { space: { data: ['digits', relative(process.cwd(), data)] }, search: 'grid' });
    assert.deepEqual((await sweepOfFile(both)).definition.space.data, ['digits', data]);
  });
});
