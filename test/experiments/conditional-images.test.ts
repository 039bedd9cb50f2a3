import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distorted } from '../../experiments/conditional-images/distort.ts';
import { type ImageNet, NETS, nameOfNet } from '../../experiments/conditional-images/nets.ts';
import { conditionalImages } from '../../experiments/conditional-images/run.ts';
import { type ImageDone, type ImageTrial, imageGrid } from '../../experiments/conditional-images/trial.ts';
import { digits } from '../../src/index.ts';
import { slow } from '../helpers/extent.ts';

test('names tell all nets and budgets of a form apart', () => {
  for (const form of [conditionalImages.quick, conditionalImages.full]) {
    const all = form.trials([1, 2]);
    assert.equal(new Set(all.map((trial) => conditionalImages.nameOf(trial))).size, all.length);
  }
});

test('distortions are those of the seed, move every picture, and keep its ink within the frame', () => {
  const data = digits({ seed: 1, count: 20 });
  const [one, same, other] = [3, 3, 4].map((seed) => distorted(data, seed).features);
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
  const inkOf = (features: ArrayLike<number>, i: number) =>
    Array.from(features)
      .slice(784 * i, 784 * (i + 1))
      .reduce((sum, x) => sum + x, 0);
  for (let i = 0; i < 20; i++) {
    assert.notDeepEqual(one.slice(784 * i, 784 * (i + 1)), data.features.slice(784 * i, 784 * (i + 1)));
    const kept = inkOf(one, i) / inkOf(data.features, i);
    assert.ok(kept > 0.5 && kept < 1.6, `${kept}`);
  }
});

const LADDER = [4, 8, 16].map((channels): ImageNet => ({ channels, depth: 1 }));
const gated = (neuron: string): ImageNet => ({ channels: 16, depth: 1, gates: { of: 'channels', rate: 0.25, neuron } });

/** Records of trials that never ran: a ladder that loses a tenth of its loss with a doubling, and a gated net `better` times as good as its price. */
function records(better: number, slope = 0.1): ImageDone[] {
  const loss = (price: number) => 1 - slope * Math.log2(price);
  const record = (net: ImageNet, seed: number, price: number, nats: number): ImageDone => {
    const factors = LADDER.map((_, i) => 4 ** i / price);
    const times = { gated: 1, dense: factors, times: factors };
    const timed = net.gates && net.gates.neuron !== 'coin' && seed === 1;
    const trial: ImageTrial = {
      ...{ stage: 'final', data: 'digits', net, examples: 1000, epochs: 1, searchEpochs: 1, learningRates: [0.001] },
      ...{ against: timed ? LADDER : [], seed },
    };
    const final = {
      ...{
        testNats: nats + 1e-4 * seed,
        testError: nats / 10,
        multiplyAdds: { test: price * 1e5, training: price * 1e5 },
      },
      ...{ open: 0.25, dead: 0, alwaysOn: 0 },
      ...(timed && { times: [{ engine: 'e', one: times, hundred: times, step: times }] }),
    };
    const common = { learningRate: 0.001, validNats: nats, dataChecksum: 'none', engine: 'e' };
    return { trial, result: { ...common, seconds: price, final }, seconds: 1 };
  };
  return [1, 2, 3].flatMap((seed) => [
    ...LADDER.map((net, i) => record(net, seed, 4 ** i, loss(4 ** i))),
    record(gated('straight-through-gumbel'), seed, 2, loss(2 * better)),
    record(gated('coin'), seed, 2, loss(1)),
  ]);
}

test('the report finds the factor that is there, refutes what costs more, and tests nothing on a flat ladder', () => {
  const outcomes = (of: ImageDone[]) => conditionalImages.report(of).findings.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes(records(3)), Array(5).fill('holds'));
  const { tables, charts } = conditionalImages.report(records(3));
  for (const factor of tables[1].rows[0].slice(2)) assert.match(factor, /^(2\.9[5-9]|3\.0[0-5]) \(/);
  assert.ok(charts.every((chart) => /^<svg[\s\S]*<\/svg>\n$/.test(chart)));
  assert.deepEqual(outcomes(records(0.7)), [...Array(4).fill('refuted'), 'holds']);
  assert.deepEqual(outcomes(records(3, 0.01)).slice(0, 4), Array(4).fill('not tested'));
  assert.equal(outcomes(records(0.4)).at(-1), 'refuted');
  // Nothing that was not timed is faster.
  const untimed = records(3).map(({ result: { final, ...result }, ...own }) => {
    const { times: _, ...rest } = final ?? assert.fail();
    return { ...own, result: { ...result, final: rest } };
  });
  assert.deepEqual(outcomes(untimed), ['holds', 'not tested', 'not tested', 'holds', 'holds']);
  assert.deepEqual(conditionalImages.report([]).findings, []);
});

test('nets of every kind are trained with the rate that their searches chose, and timed beside dense nets', {
  skip: slow,
}, async () => {
  const nets = NETS.quick.filter(({ channels, gates }) => gates || channels === 4);
  const budget = { data: 'digits', examples: 448, epochs: 1, searchEpochs: 1 } as const;
  const done: ImageDone[] = [];
  for (const trial of imageGrid(nets, [budget])([1])) {
    assert.equal(conditionalImages.ready?.(trial, done), true);
    const options = { signal: new AbortController().signal, onProgress() {}, finished: done };
    done.push({ trial, result: await conditionalImages.run(trial, options), seconds: 1 });
  }
  const finals = done.filter(({ trial }) => trial.stage === 'final');
  assert.deepEqual(
    finals.map(({ trial }) => nameOfNet(trial.net)),
    nets.map(nameOfNet),
  );
  for (const { trial, result } of finals) {
    assert.ok(result.final && result.final.testNats > 0);
    const { test: work } = result.final.multiplyAdds;
    // 3 × 3 convolutions at 14 × 14 points: 1 → 4 channels, twice 4 → 4; then 16 → 10.
    if (trial.net.gates) assert.ok(work > 1e5, `${work}`);
    else assert.equal(work, 9 * 196 * (4 + 2 * 16) + 160);
    const timed = trial.net.gates && trial.net.gates.neuron !== 'coin';
    assert.equal(result.final.times !== undefined, timed === true);
  }
  assert.equal(conditionalImages.report(done).findings.length, 5);
});
