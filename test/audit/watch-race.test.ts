import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  adam,
  createEngine,
  createModel,
  dense,
  digitsSplit,
  evaluate,
  type RaceEvent,
  type RacePoint,
  train,
  type WatchRaceOptions,
  watchRace,
} from '../../src/index.ts';

const data = digitsSplit({ seed: 1, train: 60, valid: 40, test: 10 });
const layersOf = (neuron: string) => [dense(8, neuron, 'hidden'), dense(10, 'linear', 'output')];
const base: WatchRaceOptions = {
  data,
  layersOf,
  makeEngine: () => createEngine({ threads: 1 }),
  makeOptimizer: () => adam({ learningRate: 0.01 }),
  batch: 20,
  arms: ['sigmoid', 'straight-through'],
  by: 'steps',
  budget: 6,
  points: 2,
};

async function run(options: Partial<WatchRaceOptions>): Promise<RaceEvent[]> {
  const events: RaceEvent[] = [];
  for await (const event of watchRace({ ...base, ...options })) events.push(event);
  return events;
}
const pointsOf = (events: readonly RaceEvent[]) =>
  events.filter((event): event is RacePoint => event.event === 'point');

describe('watchRace', () => {
  it('by steps, an arm stands where `train` brings the same network', async () => {
    const points = pointsOf(await run({ seeds: [3] }));
    const last = points.find(({ arm, point }) => arm === 'straight-through' && point === 2) as RacePoint;
    assert.equal(last.steps, 6);
    const engine = await base.makeEngine();
    const model = createModel(engine, { inputs: 784, layers: layersOf('straight-through'), seed: 3 });
    let error = Number.NaN;
    let loss = Number.NaN;
    // Two epochs of three steps.
    for await (const event of train(model, data, { epochs: 2, batch: 20, optimizer: adam({ learningRate: 0.01 }) }))
      if (event.event === 'epoch' && event.epoch === 2) ({ error, loss } = evaluate(model, data.valid));
    engine.close();
    assert.deepEqual(last.valid, { error, loss });
  });

  it('arms of one seed start from the same weights, and take turns at every point', async () => {
    const points = pointsOf(await run({ arms: ['straight-through', 'rloo'], seeds: [1, 2] }));
    assert.deepEqual(
      points.map(({ arm, seed, point }) => `${arm} ${seed} ${point}`),
      [0, 1, 2].flatMap((point) =>
        [1, 2].flatMap((seed) => {
          const arms = ['straight-through', 'rloo'];
          return (point % 2 ? arms.reverse() : arms).map((arm) => `${arm} ${seed} ${point}`);
        }),
      ),
    );
    const [first, second, third] = points;
    const apart = (a: RacePoint, b: RacePoint) => Math.abs(a.valid.loss - b.valid.loss);
    // Kernels of two neurons may differ in the last bit of σ(a).
    assert.ok(apart(first, second) < 1e-6);
    assert.ok(apart(first, third) > 1e-3);
    assert.equal(first.sampledLoss, undefined);
  });

  it('by evaluations, an arm that asks for four makes a quarter of the steps', async () => {
    const events = await run({
      arms: ['straight-through', 'rloo:K=4', 'straight-through*4'],
      by: 'evaluations',
      budget: 24,
    });
    const last = pointsOf(events).filter(({ point }) => point === 2);
    const steps = Object.fromEntries(last.map(({ arm, steps, spent }) => [arm, [steps, spent]]));
    assert.deepEqual(steps, { 'straight-through': [24, 24], 'rloo:K=4': [6, 24], 'straight-through*4': [6, 24] });
  });

  it('measures the variance that falls with the passes, and none without noise', async () => {
    const points = pointsOf(await run({ arms: ['stochastic-binary', 'stochastic-binary*8', 'sigmoid'], points: 1 }));
    const [one, eight, none] = ['stochastic-binary', 'stochastic-binary*8', 'sigmoid'].map((arm) =>
      points.find((point) => point.arm === arm && point.point === 0),
    );
    assert.ok((one?.gradient?.variance ?? 0) > 0);
    assert.equal(eight?.gradient?.variance, (one?.gradient?.variance ?? 0) / 8);
    assert.equal(none?.gradient, undefined);
  });

  it('by seconds, every arm trains for as long', async () => {
    for (const { event, ...point } of pointsOf(await run({ by: 'seconds', budget: 0.05, gradients: false })))
      assert.ok(point.spent >= (0.05 * point.point) / 2 && point.spent === point.seconds, event);
  });

  it('tells at the end where arms stand, seed by seed in the gap', async () => {
    const events = await run({ seeds: [1, 2, 3] });
    const result = events.at(-1);
    assert.ok(result?.event === 'result');
    const [, standing] = result.standings;
    const last = pointsOf(events).filter(({ arm, point }) => arm === 'straight-through' && point === 2);
    const gaps = last.map(({ train, valid }) => valid.error - train.error);
    const mean = (gaps[0] + gaps[1] + gaps[2]) / 3;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / 2);
    assert.ok(Math.abs(standing.gap.value - mean) < 1e-12);
    // Student's 97.5% quantile with two degrees of freedom.
    assert.ok(Math.abs(standing.gap.most - mean - (4.302653 * deviation) / Math.sqrt(3)) < 1e-6);
    assert.equal(standing.seeds, 3);
  });

  it('an arm whose loss is not finite stops, and the others go on', async () => {
    const hot = await run({ arms: ['linear', 'sigmoid'], makeOptimizer: () => adam({ learningRate: 1e38 }) });
    const failed = hot.filter(({ event }) => event === 'failure');
    assert.ok(failed.length > 0);
    assert.match((failed[0] as { reason: string }).reason, /NaN or infinite/);
    assert.equal(hot.at(-1)?.event, 'result');
  });

  it('stops when the signal says so, and closes its engine', async () => {
    const stop = new AbortController();
    let closed = 0;
    const makeEngine = async () => {
      const engine = await base.makeEngine();
      const close = engine.close.bind(engine);
      return Object.assign(engine, {
        close() {
          closed++;
          close();
        },
      });
    };
    await assert.rejects(async () => {
      for await (const event of watchRace({ ...base, makeEngine, signal: stop.signal, budget: 1e6 }))
        if (event.event === 'point') stop.abort(new Error('enough'));
    }, /enough/);
    assert.equal(closed, 1);
  });

  for (const [options, words] of [
    [{ arms: ['sigmoid'] }, /The race has one neuron/],
    [{ arms: ['sigmoid', 'sigmoid'] }, /"sigmoid" runs twice/],
    [{ arms: ['sigmoid', 'sigmo'] }, /There is no neuron "sigmo"/],
    [{ arms: ['sigmoid', 'straight-through*0'] }, /"0" passes\. Expected a whole number from 1 to 64/],
    [{ arms: ['sigmoid', 'straight-through*'] }, /passes\. Expected a whole number from 1 to 64/],
    [{ budget: 0 }, /budget of the race is 0/],
    [{ points: 0 }, /`points` is 0/],
    [{ seeds: [] }, /wants a seed/],
  ] as const)
    it(`refuses ${JSON.stringify(options)}`, () => assert.rejects(run(options), words));
});
