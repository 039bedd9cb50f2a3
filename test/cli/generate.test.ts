import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateCommand } from '../../cli/generate.ts';
import { predictCommand } from '../../cli/predict.ts';
import { trainCommand } from '../../cli/train.ts';
import { refused } from '../helpers/refused.ts';
import { runHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-generate-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
writeFileSync(path('text.txt'), 'the cat sat on the mat.\n'.repeat(400));

/** Lines of JSON. */
const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('flipgrad generate', () => {
  before(async () => {
    const common = ['--threads', '1', '--optimizer', 'adam', '--lr', '0.01'];
    for (const [name, ...flags] of [
      [
        'bytes',
        '--task',
        'next-token',
        '--data',
        path('text.txt'),
        '--layers',
        'embedding 256 8, lstm 24, dense 256',
        '--epochs',
        '12',
        '--batch',
        '4',
      ],
      [
        'contexts',
        ...['--data', `text:${path('text.txt')}`],
        ...[
          '--layers',
          'embedding 256 4, gated 64/8 25% noisy-top-k rectifier gater=none, dense 256',
          '--epochs',
          '3',
          '--batch',
          '50',
        ],
      ],
    ]) {
      const { code, stderr } = await runHere(trainCommand(), [...flags, ...common, '--run', path(name), '--json']);
      assert.equal(code, 0, stderr);
    }
  });

  for (const name of ['bytes', 'contexts'])
    it(`goes on with a text that it has read again and again: ${name}`, async () => {
      const args = [path(name), '--prompt', 'the cat sat on ', '--bytes', '16', '--temperature', '0', '--json'];
      const { code, stdout, stderr } = await runHere(generateCommand(), args);
      assert.equal(code, 0, stderr);
      const lines = linesOf(stdout);
      assert.equal(lines.length, 16);
      const written = lines.map(({ text }) => text).join('');
      assert.match(written, name === 'contexts' ? /^the mat\.⏎/ : /^the [cm]at/);
      for (const { probability, multiplyAdds } of lines)
        assert.ok(probability > 0 && probability <= 1 && multiplyAdds > 0);
      const open = name === 'contexts' ? 2 / 8 : 1;
      assert.ok(lines.every((line) => line.open === open));
    });

  it('shows people how many gates woke for every byte', async () => {
    const terminal = process.stdout.isTTY;
    process.stdout.isTTY = true;
    try {
      const args = [path('contexts'), '--prompt', 'the cat sat on ', '--bytes', '12', '--temperature', '0'];
      const { code, stdout } = await runHere(generateCommand(), args);
      assert.equal(code, 0);
      const [text, bars] = stdout.split('\n');
      assert.deepEqual([text, bars], ['the mat.⏎', '█'.repeat(9)]);
      assert.match(
        stdout,
        /12 bytes; gates open 25\.0%; multiply-adds a byte .* of .*; \d\.\d\d bits a byte by the model/,
      );
    } finally {
      process.stdout.isTTY = terminal;
    }
  });

  it('draws by its seed', async () => {
    const text = async (seed: string) => {
      const args = [path('bytes'), '--bytes', '40', '--temperature', '2', '--seed', seed, '--json'];
      return linesOf((await runHere(generateCommand(), args)).stdout).map(({ byte }) => byte);
    };
    assert.deepEqual(await text('3'), await text('3'));
    assert.notDeepEqual(await text('3'), await text('4'));
  });

  it('predict tells the byte after a text', async () => {
    writeFileSync(path('begun.txt'), 'the cat sat on the ma');
    const { code, stdout, stderr } = await runHere(predictCommand(), [path('contexts'), path('begun.txt'), '--json']);
    assert.equal(code, 0, stderr);
    const [line] = linesOf(stdout);
    assert.equal(line.class, 't'.charCodeAt(0));
  });

  it('refuses runs that were not trained on text, and options that mean nothing', async () => {
    writeFileSync(
      path('two.csv'),
      `a,label\n${Array.from({ length: 40 }, (_, i) => `${i % 2},${i % 2}`).join('\n')}\n`,
    );
    const flags = [
      '--data',
      path('two.csv'),
      '--layers',
      'dense 4 tanh',
      '--epochs',
      '1',
      '--run',
      path('two'),
      '--json',
    ];
    const trained = await runHere(trainCommand(), flags);
    assert.equal(trained.code, 0, trained.stderr);
    for (const [args, message] of [
      [[path('two')], /two was trained on two\.csv \(classification, 2 outputs\)\. Expected a run on text/],
      [[path('bytes'), '--temperature', '-1'], /`temperature` is -1\. Expected a number of 0 or more/],
      [[path('bytes'), '--bytes', '0'], /--bytes/],
    ] as const) {
      const { code, stderr } = await refused(generateCommand(), args);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
    }
  });
});
