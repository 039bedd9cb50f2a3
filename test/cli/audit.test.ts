import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { auditCommand } from '../../cli/audit.ts';
import { full } from '../helpers/extent.ts';
import { interrupted } from '../helpers/interrupted.ts';
import { parsePicture } from '../helpers/picture.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-audit-'));
after(() => rmSync(folder, { recursive: true }));

/** A small problem to measure on. */
const FEW = full ? [] : ['--units', '2', '--samples', '2000'];

/** A user's own neuron, as one would write it: no cells, claims as given. */
function neuronFile(name: string, claims: string, extra = ''): string {
  const path = join(folder, `${name}.ts`);
  const text = `
    const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
    export const mine = {
      name: '${name}',
      source: 'this test',
      summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))·L',
      options: {},
      rule: () => ({
        noise: 1,
        reads: 'loss',
        range: 'unit-interval',
        claims: ${claims},
        fire({ logits, noise, h }) {
          for (let i = 0; i < h.length; i++)
            h[i] = Number.isFinite(logits[i]) ? (noise[i] < sigmoid(logits[i]) ? 1 : 0) : Number.NaN;
        },
        pullback({ units, logits, h, loss, gradient }) {
          for (let i = 0; i < h.length; i++) gradient[i] = (h[i] - sigmoid(logits[i])) * loss[Math.floor(i / units)];
        },
        expect: sigmoid,
        whenOpen: () => 1,
        ${extra}
      }),
    };`;
  writeFileSync(path, text);
  return path;
}

interface Line {
  readonly event: string;
  readonly neuron: string;
  readonly refuted: string[];
  readonly unit: string;
  readonly evaluations: number;
  readonly bias: { value: number };
  readonly atEqualCompute: number;
  readonly verdicts: { claim: string; verdict: string; evidence: string }[];
  readonly estimatorProbe: { neuron: string; variance: { value: number } }[];
  readonly folder: string;
}
const linesOf = (finished: Awaited<ReturnType<typeof runCliHere>>) => finished.lines() as unknown as Line[];

/** Has a picture a disc a neuron, hollow where it is biased, and higher where the variance is larger? */
function checkPicture(svg: string, rows: readonly Line[]): void {
  const points = [...parsePicture(svg).querySelectorAll('g')].flatMap((group) => {
    const facts = group.firstElementChild?.localName === 'title' ? group.firstElementChild.textContent : null;
    const [, neuron, variance, evaluations] =
      /^(.*): variance (.*)·\|∇\|², (\d+) evaluations?$/.exec(facts ?? '') ?? [];
    const disc = group.querySelector('circle');
    return neuron === undefined || !disc
      ? []
      : [{ neuron, variance: Number(variance), evaluations: Number(evaluations), disc }];
  });
  assert.deepEqual(
    points.map(({ neuron, evaluations, disc }) => [neuron, evaluations, disc.getAttribute('fill') === '#fff']).sort(),
    rows
      .map(({ neuron, evaluations, verdicts }) => [
        neuron,
        evaluations,
        verdicts.some(({ claim, verdict }) => claim === 'biased' && verdict !== 'refuted'),
      ])
      .sort(),
  );
  const down = points.toSorted((a, b) => b.variance - a.variance).map(({ disc }) => Number(disc.getAttribute('cy')));
  assert.deepEqual(
    down,
    down.toSorted((a, b) => a - b),
  );
}

describe('flipgrad audit', () => {
  it('measures named neurons, best at equal compute first, and draws', async () => {
    const plot = join(folder, 'deep/audit.svg');
    const names = full
      ? 'rloo:K=3,straight-through,stochastic-binary:baseline=none'
      : 'straight-through,stochastic-binary:baseline=none';
    const finished = await runCliHere([
      'audit',
      '--neuron',
      names,
      '--problem',
      'quadratic',
      '--units',
      full ? '4' : '2',
      '--plot',
      plot,
    ]);
    assert.equal(finished.code, 0, finished.stderr);
    const lines = linesOf(finished);
    const rows = lines.filter(({ event }) => event === 'neuron');
    assert.deepEqual(rows.map(({ neuron }) => neuron).sort(), names.split(',').sort());
    const errors = rows.map(({ atEqualCompute }) => atEqualCompute);
    assert.deepEqual(
      errors,
      [...errors].sort((a, b) => a - b),
    );
    assert.deepEqual(lines.at(-1)?.refuted, []);
    checkPicture(readFileSync(plot, 'utf8'), rows);
  });

  it("certifies a user's own file, and refutes one whose claim is wrong with exit code 1", async () => {
    const right = await runCliHere([
      'audit',
      neuronFile('right', '{ unbiased: true, mean: sigmoid, rate: sigmoid }'),
      ...FEW,
    ]);
    assert.equal(right.code, 0, right.stderr);
    const [row] = linesOf(right);
    assert.ok(row.verdicts.every(({ verdict }) => verdict === 'holds'));
    assert.ok(row.unit === 'bits' && row.bias.value < 1e-9);
    const wrongs = [
      ['wrong-mean', '{ unbiased: true, mean: (a: number) => sigmoid(a + 0.01) }', 'mean'],
      ['wrong-bias', '{ unbiased: false }', 'biased'],
    ];
    for (const [name, claims, claim] of full ? wrongs : wrongs.slice(0, 1)) {
      const wrong = await runCliHere(['audit', neuronFile(name, claims), ...FEW]);
      assert.equal(wrong.code, 1, name);
      const [found, result] = linesOf(wrong);
      assert.deepEqual(result.refuted, [name]);
      assert.deepEqual(
        found.verdicts.filter(({ verdict }) => verdict === 'refuted').map((one) => one.claim),
        [claim],
      );
    }
    if (!full) return;
    const biased = neuronFile(
      'wrong-unbiased',
      '{ unbiased: true }',
      'pullback: ({ gradient }) => gradient.fill(0.5),',
    );
    assert.equal((await runCliHere(['audit', biased])).code, 1);
  });

  it('refuses what it cannot audit with exit code 2 and a sentence', async () => {
    const empty = join(folder, 'empty.ts');
    writeFileSync(empty, 'export const answer = 42;');
    const broken = join(folder, 'broken.ts');
    writeFileSync(broken, 'export const = ;');
    const half = neuronFile('half', '{ unbiased: true }', 'expect: undefined,');
    const odd = neuronFile('odd', '{ unbiased: true }', "reads: 'tea',");
    const files: [string[], RegExp][] = [
      [[empty], /exports no neuron/],
      [[odd], /has no `reads`\. Expected one of loss/],
      [[broken], /cannot be run/],
      [[half], /neuron "half" .* has no `expect`/],
    ];
    for (const [args, message] of [
      ...(full ? files : files.slice(0, 2)),
      [[join(folder, 'nothing.ts')], /There is no file/],
      [['--neuron', 'rlo'], /Did you mean "rloo"/],
      [['--problem', 'hard'], /--problem/],
      [['--units', '0'], /--units/],
      [['--units', '40'], /--units is 40, .* Expected at most 14/],
      [['--run', join(folder, 'no-run')], /no-run/],
    ] as const) {
      const { code, stdout, stderr } = await runCliHere(['audit', ...args]);
      assert.deepEqual([code, stdout], [2, ''], `${args}: ${stderr}`);
      assert.match(stderr, message);
    }
  });

  it('interrupted it ends with 130 and leaves nothing behind', async () => {
    const left = join(folder, 'interrupted');
    const given = ['--neuron', 'rloo,disarm', '--units', '2', '--plot', join(left, 'audit.svg')];
    assert.deepEqual(await interrupted(auditCommand(), given), { text: 'Interrupted.', code: 130 });
    assert.ok(!existsSync(left));
  });

  it('audits a trained run on a minibatch of its data; the run was measured on its way by a probe of estimators', async () => {
    const run = join(folder, 'run');
    const small = ['--units', '32', '--blocks', '8', '--gater', '8', '--neuron', 'stochastic-binary'];
    const data = ['--data', twoClasses(join(folder, 'two.csv')), '--batch', '4'];
    const train = ['train', '--run', run, '--epochs', '1', '--threads', '1', '--blas', 'off', ...data, ...small];
    const trained = await runCliHere([
      ...train,
      '--probe-estimators',
      'straight-through,rloo:K=3',
      '--probe-estimators-every',
      '20',
    ]);
    assert.equal(trained.code, 0, trained.stderr);
    const epoch = linesOf(trained).find(({ event }) => event === 'epoch');
    assert.deepEqual(
      epoch?.estimatorProbe.map(({ neuron }) => neuron),
      ['stochastic-binary:baseline=optimal', 'straight-through', 'rloo:K=3'],
    );
    const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8').split('\n');
    assert.ok(metrics.some((line) => line.includes('"estimatorProbe":[{"site":"gated.gates"')));

    const given = ['--rows', '10', '--repeats', '12', '--threads', '1', '--neuron', 'rloo,straight-through'];
    const audit = await runCliHere(['audit', '--run', run, ...given]);
    assert.equal(audit.code, 0, audit.stderr);
    const rows = linesOf(audit).filter(({ event }) => event === 'neuron');
    assert.deepEqual(rows.map(({ neuron }) => neuron).sort(), ['rloo', 'straight-through']);
    assert.ok(rows.every(({ bias }) => bias.value >= 0));
    const left = join(folder, 'interrupted-run');
    const args = ['--run', run, '--plot', join(left, 'audit.svg'), ...given];
    assert.deepEqual(await interrupted(auditCommand(), args), { text: 'Interrupted.', code: 130 });
    assert.ok(!existsSync(left));
    const { code, stderr } = await refused(auditCommand(), ['--run', run, '--site', 'nowhere', ...given]);
    assert.equal(code, 2);
    assert.match(stderr, /no firing site "nowhere"\. Those with noise: gated\.gates/);
    const unknown = await runCliHere([...train.with(2, 'none'), '--probe-estimators', 'nobody']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no neuron "nobody"/);
  });
});
