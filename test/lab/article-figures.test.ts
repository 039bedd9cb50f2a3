import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { articleAnswers } from '../../lab/src/worker/article.ts';
import { typeset } from '../../lab/typesetting.ts';
import { lookAtUnit, resolveNeuron, unitLosses } from '../../src/index.ts';

const LAB = join(import.meta.dirname, '../../lab/src');
const setting = { logit: 0.5, t: 0.3, seed: 1 };
const near = (a: number, b: number, tolerance: number): void =>
  assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b} ± ${tolerance}`);

test('with its noise held fast the loss is a staircase of as many steps as tosses; the expected loss has the exact slope', async () => {
  for (const tosses of [1, 10]) {
    const { tosses: h, points, slope, expected, tossed } = await articleAnswers.coin({ ...setting, tosses });
    assert.equal(h.length, tosses);
    assert.ok(h.every((value) => value === 0 || value === 1));
    assert.ok(new Set(points.map((point) => point.tossed.toFixed(9))).size <= tosses + 1);
    const at = points.findIndex(({ logit }) => Math.abs(logit - setting.logit) < 1e-9);
    near(points[at].expected, expected, 1e-12);
    near(points[at].tossed, tossed, 1e-12);
    const [before, after] = [points[at - 1], points[at + 1]];
    near((after.expected - before.expected) / (after.logit - before.logit), slope, 1e-4);
  }
});

test('the best baseline is that of the neuron which learns it, and no other of the parabola is better', async () => {
  for (const units of [1, 4]) {
    const { points, best } = await articleAnswers.baselines({ ...setting, units });
    const { variance, bias } = await articleAnswers.scored({ ...setting, units, baseline: best });
    near(bias, 0, 1e-9);
    for (const point of points) {
      assert.ok(point.variance >= variance - 1e-12);
      const own = await articleAnswers.scored({ ...setting, units, baseline: point.baseline });
      near(point.variance, own.variance, 1e-12);
    }
    const learnt = lookAtUnit(resolveNeuron('stochastic-binary'), {
      ...{ logit: setting.logit, units },
      loss: unitLosses.square(setting.t),
    });
    // Its averages are those of 50 minibatches.
    near(learnt.variance, variance, 1e-4 + 0.01 * variance);
  }
  near((await articleAnswers.scored({ ...setting, units: 1, baseline: 0.0 })).bias, 0, 1e-9);
});

test('the crowd has a point for every neuron and number of units, and REINFORCE without a baseline grows most', async () => {
  const neurons = ['stochastic-binary:baseline=none', 'straight-through-derivative'];
  const points: { neuron: string; units: number; variance: number }[] = [];
  for await (const point of articleAnswers.crowd({ ...setting, neurons, units: [1, 8] })) points.push(point);
  assert.equal(points.length, 4);
  const growth = (name: string): number => {
    const [one, many] = points.filter(({ neuron }) => neuron === name);
    return many.variance / one.variance;
  };
  assert.ok(growth(neurons[0]) > 50);
  near(growth(neurons[1]), 1, 1e-9);
});

test('every equation is MathML without a style, and the article names the symbols that it has', () => {
  const article = readFileSync(join(LAB, 'pages/Article.svelte'), 'utf8');
  const files = globSync('article/equations/*.tex', { cwd: LAB });
  assert.equal(files.length, article.match(/<Equation/g)?.length);
  for (const file of files) {
    const name = basename(file, '.tex');
    const mathml = typeset(readFileSync(join(LAB, file), 'utf8'));
    assert.match(mathml, /^<math display="block"/);
    assert.doesNotMatch(mathml, / style=/);
    const written = new Set(Array.from(mathml.matchAll(/data-symbol="(\w+)"/g), ([, symbol]) => symbol));
    const [, symbols = ''] = new RegExp(`name="${name}"\\s+symbols=\\{\\[([^}]*)\\]\\}`).exec(article) ?? [];
    const explained = new Set(Array.from(symbols.matchAll(/\['(\w+)'/g), ([, symbol]) => symbol));
    assert.deepEqual(explained, written, name);
  }
  assert.throws(() => typeset('\\frac{'), /.+/);
});
