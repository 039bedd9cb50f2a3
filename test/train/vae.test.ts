import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeDataset } from '../../src/data/dataset.ts';
import { digitsSplit } from '../../src/data/digits.ts';
import { logit, sigmoid, softplus } from '../../src/math/special.ts';
import { instantiate, type NeuronSpec, resolveNeuron } from '../../src/neurons/resolve.ts';
import { rloo } from '../../src/neurons/zoo/rloo.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import type { Pass } from '../../src/nn/pass.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { binarize } from '../../src/tasks/binarize.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { vae as vaeTask } from '../../src/tasks/vae.ts';
import { measureVae, type VaeBoundOptions } from '../../src/tasks/vae-bound.ts';
import { startAtMeans, vaeLayers } from '../../src/tasks/vae-pass.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { EstimatorProbeOptions } from '../../src/train/estimator-probe.ts';
import type { VaeEvent, VaeResultEvent } from '../../src/train/events.ts';
import { train } from '../../src/train/train.ts';
import { builds, reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';

const WIDTH = 6;
const LATENTS = 4;

/** Bits: binarisation leaves them as they are. */
const pictures = makeDataset({
  name: 'chequered',
  features: Float32Array.from({ length: 8 * WIDTH }, (_, i) => ((i * 7) % 11 > 4 ? 1 : 0)),
  scale: 1,
  labels: new Uint8Array(8),
  width: WIDTH,
  classes: 1,
});

function tiny(engine = reference, neuron: NeuronSpec = 'stochastic-binary', seed = 3): Model {
  const model = createModel(engine, { inputs: WIDTH, layers: vaeLayers('linear', WIDTH, neuron, LATENTS), seed });
  startAtMeans(model, pictures);
  // Away from the start, where the latents say little.
  for (const name of ['latents.weights', 'pixels.weights'])
    model.setWeights(
      name,
      model.weights(name).map((w) => 2 * w),
    );
  return model;
}

/** log p(x|h) + log p(h) and log q(h|x) of every picture and every one of the 2^n latents, from the weights alone. */
function enumerate(model: Model) {
  const encoder = [model.weights('latents.weights'), model.weights('latents.bias')];
  const decoder = [model.weights('pixels.weights'), model.weights('pixels.bias')];
  const affine = ([w, b]: Float32Array[], x: readonly number[]): number[] =>
    [...b].map((bias, j) => x.reduce((sum, value, i) => sum + value * w[i * b.length + j], bias));
  const logProbability = (logits: readonly number[], bits: readonly number[]): number =>
    logits.reduce((sum, l, i) => sum + bits[i] * l - softplus(l), 0);
  return Array.from({ length: pictures.count }, (_, r) => {
    const x = [...pictures.features.subarray(r * WIDTH, (r + 1) * WIDTH)];
    const logits = affine(encoder, x);
    return Array.from({ length: 2 ** LATENTS }, (_, state) => {
      const h = Array.from({ length: LATENTS }, (_, i) => (state >> i) & 1);
      const signs = h.map((bit) => 2 * bit - 1);
      const joint = logProbability(affine(decoder, signs), x) - LATENTS * Math.LN2;
      return { h, joint, own: logProbability(logits, h), logits };
    });
  });
}

/** The ELBO of every picture, by summing over all latents. */
const exactElbos = (model: Model): number[] =>
  enumerate(model).map((states) => states.reduce((sum, { joint, own }) => sum + Math.exp(own) * (joint - own), 0));

/** log p(x) of every picture. */
const exactLikelihoods = (model: Model): number[] =>
  enumerate(model).map((states) => Math.log(states.reduce((sum, { joint }) => sum + Math.exp(joint), 0)));

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Central differences of a function of the model at one of its parameters. */
function slopes(model: Model, name: string, of: () => number): number[] {
  const values = model.weights(name);
  return Array.from(values, (_, i) => {
    const at = (shift: number): number => {
      const moved = values.slice();
      moved[i] += shift;
      model.setWeights(name, moved);
      return of();
    };
    const slope = (at(0.01) - at(-0.01)) / 0.02;
    model.setWeights(name, values);
    return slope;
  });
}

const vae = vaeTask();

function measured(model: Model, options: VaeBoundOptions, data = pictures) {
  const measuring = measureVae(model, data, options);
  for (;;) {
    const { done, value } = measuring.next();
    if (done) return value;
  }
}

function passOn(model: Model, options: Partial<Pass> & { step?: number } = {}) {
  model.engine.beginStep();
  const tape = new Tape(model.engine);
  const source = { key: noiseKey(1), step: options.step ?? 0, draw: 0 };
  const pass: Pass = { tape, mode: 'train', source, penalties: [], ...options };
  const indices = Int32Array.from({ length: pictures.count }, (_, i) => i);
  return { tape, pass, batch: gatherBatch(model.engine, pictures, indices) };
}

/** A neuron that goes through all 2^n latents, as draws, and weighs each by its probability: what is minimised is exact. */
const everyState = {
  ...resolveNeuron('stochastic-binary:baseline=none'),
  noise: 0,
  draws: 2 ** LATENTS,
  fire({ logits, h, units }) {
    for (let i = 0; i < h.length; i++) h[i] = (Math.floor(i / logits.length) >> (i % units)) & 1;
  },
  weigh({ rows, units, logits, h, loss, weights, total }) {
    total.fill(0);
    for (let i = 0; i < loss.length; i++) {
      let own = 0;
      for (let j = 0; j < units; j++) {
        const a = logits[(i % rows) * units + j];
        own += h[i * units + j] * a - softplus(a);
      }
      weights[i] = Math.exp(own);
      total[i % rows] += weights[i] * loss[i];
    }
  },
  twin: {},
} satisfies ReturnType<typeof resolveNeuron>;

describe('the objective of the discrete VAE', () => {
  for (const wantsLogWeights of [undefined, true] as const)
    test(`over all latents it is −ELBO, exactly${wantsLogWeights ? ', from log-weights too' : ''}`, () => {
      const neuron = { ...everyState, ...(wantsLogWeights && { wantsLogWeights }) };
      const model = tiny(reference, neuron);
      const { tape, pass, batch } = passOn(model);
      const { losses, also = [] } = vae.run(model, pass, batch);
      assert.equal(also.length, wantsLogWeights ? 0 : 1);
      const totals = [...tape.weigh(losses).values].map((total, r) => total + (also[0]?.values[r] ?? 0));
      assertClose(
        totals,
        exactElbos(model).map((elbo) => -elbo),
        { relative: 1e-6 },
        '−ELBO',
      );
    });

  test('the mean gradient of an unbiased neuron is that of the exact ELBO', () => {
    const model = tiny(reference, 'rloo:K=4');
    const sums = new Map<string, Float64Array>();
    const passes = 3000;
    for (let step = 0; step < passes; step++) {
      const { tape, pass, batch } = passOn(model, { step });
      tape.watch(model.parameters.map(({ tensor }) => tensor));
      const { losses, also = [] } = vae.run(model, pass, batch);
      tape.weigh(losses);
      tape.backward(
        [losses, ...also].map((tensor) => ({ tensor, cotangent: 1 })),
        losses,
      );
      for (const { name, tensor } of model.parameters) {
        const total = sums.get(name) ?? new Float64Array(tensor.size);
        tape.gradient(tensor)?.values.forEach((g, i) => {
          total[i] += g / passes;
        });
        sums.set(name, total);
      }
    }
    for (const name of ['latents.bias', 'pixels.bias', 'latents.weights']) {
      const exact = slopes(model, name, () => -exactElbos(model).reduce((sum, elbo) => sum + elbo, 0));
      // 3000 passes: the noise of a mean is about 0.02 to 0.05 here.
      assertClose(sums.get(name) as Float64Array, exact, { absolute: 0.25, relative: 0.02 }, name);
    }
  });

  test('where a neuron scales its gradient, all of the ELBO’s gradient is scaled', { skip: slow }, () => {
    const score = resolveNeuron('rloo:K=4');
    const scaled = {
      ...score,
      claims: { ...score.claims, scale: () => 10 },
      pullback(pullback) {
        score.pullback(pullback);
        for (let i = 0; i < pullback.gradient.length; i++) pullback.gradient[i] /= 10;
      },
    } satisfies typeof score;
    const model = tiny(reference, scaled);
    const passes = 4000;
    const sums = new Float64Array(LATENTS);
    const bias = model.parameters.find(({ name }) => name === 'latents.bias')?.tensor;
    assert.ok(bias);
    for (let step = 0; step < passes; step++) {
      const { tape, pass, batch } = passOn(model, { step });
      tape.watch(model.parameters.map(({ tensor }) => tensor));
      const { losses, also } = vae.run(model, pass, batch);
      assert.equal(also, undefined);
      tape.backward([{ tensor: losses, cotangent: 1 }], losses);
      tape.gradient(bias)?.values.forEach((g, i) => {
        sums[i] += (10 * g) / passes;
      });
    }
    const exact = slopes(model, 'latents.bias', () => -exactElbos(model).reduce((sum, elbo) => sum + elbo, 0));
    assertClose(sums, exact, { absolute: 0.25, relative: 0.02 }, 'ten times the mean gradient');
  });

  test('the mean gradient of VIMCO is that of the exact bound of two draws', () => {
    const model = tiny(reference, 'vimco:K=2');
    const passes = 4000;
    const names = ['latents.bias', 'pixels.bias'];
    const sums = names.map((name) => new Float64Array(model.weights(name).length));
    for (let step = 0; step < passes; step++) {
      const { tape, pass, batch } = passOn(model, { step });
      tape.watch(model.parameters.map(({ tensor }) => tensor));
      const { losses } = vae.run(model, pass, batch);
      tape.weigh(losses);
      tape.backward([{ tensor: losses, cotangent: 1 }], losses);
      names.forEach((name, k) => {
        const tensor = model.parameters.find((parameter) => parameter.name === name)?.tensor;
        const gradient = tensor && tape.gradient(tensor)?.values;
        gradient?.forEach((g, i) => {
          sums[k][i] += g / passes;
        });
      });
    }
    const exactBound = (): number =>
      enumerate(model)
        .flatMap((states) =>
          states.flatMap((a) =>
            states.map((b) => {
              const [v, w] = [a.joint - a.own, b.joint - b.own];
              const most = Math.max(v, w);
              const bound = most + Math.log((Math.exp(v - most) + Math.exp(w - most)) / 2);
              return Math.exp(a.own + b.own) * bound;
            }),
          ),
        )
        .reduce((sum, x) => sum + x, 0);
    names.forEach((name, k) => {
      const exact = slopes(model, name, () => -exactBound());
      assertClose(sums[k], exact, { absolute: 0.2, relative: 0.02 }, name);
    });
  });

  test('neurons that want log-weights get log q of each draw, with its gradient at the logits', () => {
    const wanting = { ...instantiate(rloo as never, { K: 3 }), wantsLogWeights: true as const };
    const model = tiny(reference, wanting);
    const { tape, pass, batch } = passOn(model);
    const { losses } = vae.run(model, pass, batch);
    const { h, logits } = model.sites[0].last as NonNullable<(typeof model.sites)[0]['last']>;
    const states = enumerate(model);
    const expected = Array.from({ length: losses.size }, (_, i) => {
      const bits = h.values.subarray(i * LATENTS, (i + 1) * LATENTS);
      const { joint, own } = states[i % pictures.count][[...bits].reduce((state, bit, j) => state + bit * 2 ** j, 0)];
      return own - joint;
    });
    assertClose(losses.values, expected, { relative: 1e-6 }, '−log w');
    // A loss that depends on no draw leaves the direct gradient alone: Σ_k (h − σ)/K, from −log w = … + log q.
    const quiet = { ...wanting, pullback: ({ gradient }: { gradient: { fill(x: number): void } }) => gradient.fill(0) };
    const again = passOn(model, { overrides: new Map([[model.sites[0], { neuron: quiet, state: undefined }]]) });
    again.tape.watch(model.parameters.map(({ tensor }) => tensor));
    const outcome = vae.run(model, again.pass, again.batch);
    again.tape.weigh(outcome.losses);
    again.tape.backward([{ tensor: outcome.losses, cotangent: 1 }], outcome.losses);
    const site = model.sites[0].last as NonNullable<(typeof model.sites)[0]['last']>;
    const direct = Array.from(site.logits.values, (a, i) => {
      const drawn = [0, 1, 2].map((k) => site.h.values[k * site.logits.size + i]);
      return mean(drawn) - sigmoid(a);
    });
    assert.equal(h.size, 3 * logits.size);
    assertClose(again.tape.gradient(site.logits)?.values ?? [], direct, { absolute: 1e-9 }, 'direct gradient');
    assert.ok(tape);
  });
});

describe('ELBO and bound', () => {
  test('agree with sums over all latents', () => {
    const model = tiny();
    const { elbo, bound, samples } = measured(model, { samples: 2000 });
    assert.equal(samples, 2000);
    const exact = { elbo: mean(exactElbos(model)), likelihood: mean(exactLikelihoods(model)) };
    assert.ok(Math.abs(elbo - exact.elbo) < 0.05, `${elbo} for ${exact.elbo}`);
    // Every latent has been drawn: the bound is the likelihood but for its noise.
    assert.ok(Math.abs(bound - exact.likelihood) < 0.05, `${bound} for ${exact.likelihood}`);
    assert.ok(exact.elbo < exact.likelihood - 0.05);
  });

  test('the bound grows with the draws and stays under the likelihood', () => {
    const model = tiny();
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const [one, five, hundred] = [1, 5, 100].map((samples) =>
      mean(seeds.map((seed) => measured(model, { samples, seed }).bound)),
    );
    const likelihood = mean(exactLikelihoods(model));
    assert.ok(one < five && five < hundred && hundred < likelihood + 0.02, `${one} ${five} ${hundred} ${likelihood}`);
  });

  test('do not depend on the size of the minibatch in what they are of, and are the same twice', () => {
    const model = tiny();
    assert.deepEqual(measured(model, { samples: 3 }), measured(model, { samples: 3 }));
    const [whole, parts] = [8, 3].map((batch) => measured(model, { samples: 400, batch }).bound);
    assert.ok(Math.abs(whole - parts) < 0.1, `${whole} and ${parts}`);
  });

  test('whatever neuron trained, the latents are drawn from Bernoulli(σ(a))', () => {
    const of = (neuron: NeuronSpec) => measured(tiny(reference, neuron), { samples: 2 });
    assert.deepEqual(of('noisy-sigmoid'), of('rloo'));
  });

  test('kernels give what the definitions give', () => {
    const expected = measured(tiny(), { samples: 5 });
    for (const engine of builds) {
      const { elbo, bound } = measured(tiny(engine), { samples: 5 });
      assertClose([elbo, bound], [expected.elbo, expected.bound], { relative: 1e-5 }, engine.name);
    }
  });
});

describe('binarisation', () => {
  const draw = (step: number, seed = 1): number[] => {
    reference.beginStep();
    const x = reference.tensor(
      Float32Array.from({ length: 2000 }, (_, i) => (i % 5) / 4),
      [50, 40],
    );
    return [...binarize(new Tape(reference), x, { key: noiseKey(seed), step, draw: 0 }).values];
  };

  test('is the same for the same step and seed, and another for others', () => {
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    assert.notDeepEqual(draw(7), draw(7, 2));
  });

  test('keeps 0 and 1, and draws bits with the probabilities between', () => {
    const bits = draw(3);
    assert.ok(
      bits.every((bit, i) => (bit === 0 || bit === 1) && (i % 5 !== 0 || bit === 0) && (i % 5 !== 4 || bit === 1)),
    );
    for (const [k, p] of [0.25, 0.5, 0.75].entries()) {
      const share = mean(bits.filter((_, i) => i % 5 === k + 1));
      assert.ok(Math.abs(share - p) < 4.5 * Math.sqrt((p * (1 - p)) / 400), `${share} for ${p}`);
    }
  });
});

test('biases start at the data’s means', () => {
  const data = digitsSplit({ train: 200, valid: 10, test: 10, seed: 1 }).train;
  const model = createModel(reference, { inputs: data.width, layers: vaeLayers('linear', data.width, 'rloo', 8) });
  startAtMeans(model, data);
  const means = Float64Array.from({ length: data.width }, (_, i) => {
    let sum = 0;
    for (let r = 0; r < data.count; r++) sum += data.features[r * data.width + i] * data.scale;
    return sum / data.count;
  });
  const kept = means.map((m) => logit(Math.min(0.999, Math.max(0.001, m))));
  assertClose(model.weights('pixels.bias'), kept, { absolute: 1e-5 }, 'pixels');
  reference.beginStep();
  const { tape, pass } = passOn(model);
  model.apply(pass, tape.input(tape.engine.tensor(means, [1, data.width]), tape.plates.examples(1)));
  const logits = model.sites[0].last?.logits.values ?? [];
  assertClose(logits, new Float64Array(8), { absolute: 1e-5 }, 'logits of the mean picture');
});

describe('training', async () => {
  const data = digitsSplit({ train: 600, valid: 100, test: 100, seed: 1 });
  const run = async (
    neuron: NeuronSpec,
    kind: 'linear' | 'nonlinear' = 'linear',
    epochs = 6,
    estimatorProbe?: EstimatorProbeOptions,
  ) => {
    const layers = vaeLayers(kind, data.train.width, neuron, 16);
    const model = createModel(builds[0], { inputs: data.train.width, layers, seed: 1 });
    const events: VaeEvent[] = [];
    for await (const event of train(model, data, {
      epochs,
      batch: 50,
      task: vaeTask({ samples: 10 }),
      ...(estimatorProbe && { estimatorProbe }),
    }))
      events.push(event);
    return { model, events, result: events.at(-1) as VaeResultEvent };
  };

  for (const neuron of ['rloo', 'stochastic-binary', 'straight-through-derivative', 'muprop', 'noisy-sigmoid'])
    test(`with ${neuron} the ELBO rises`, { skip: neuron !== 'rloo' && slow }, async () => {
      const { events, result } = await run(neuron);
      const elbos = events.flatMap((event) => (event.event === 'epoch' ? [event.validElbo] : []));
      assert.equal(elbos.length, 6);
      assert.ok((elbos.at(-1) as number) > elbos[0] + 0.3, elbos.join(' '));
      assert.ok(result.testBound > result.testElbo, 'the bound of 10 draws is over the ELBO');
      assert.equal(result.samples, 10);
    });

  test('non-linear too, and the same bits twice', { skip: slow }, async () => {
    const [one, two] = [await run('rloo', 'nonlinear', 2), await run('rloo', 'nonlinear', 2)];
    assert.deepEqual({ ...one.result, seconds: 0 }, { ...two.result, seconds: 0 });
    assert.deepEqual(
      one.model.layers.map(({ name, outputs }) => [name, outputs]),
      [
        ['encoder1', 200],
        ['encoder2', 200],
        ['latents', 16],
        ['signs', 16],
        ['decoder1', 200],
        ['decoder2', 200],
        ['pixels', data.train.width],
      ],
    );
    const elbos = one.events.flatMap((event) => (event.event === 'epoch' ? [event.validElbo] : []));
    assert.ok(elbos[1] > elbos[0], elbos.join(' '));
  });

  test('a probe measures other estimators at the latents, and changes nothing', async () => {
    const alone = (await run('rloo', 'linear', 2)).result;
    const { events, result } = await run('rloo', 'linear', 2, {
      neurons: ['stochastic-binary:baseline=none', 'disarm'],
      every: 4,
    });
    assert.deepEqual({ ...result, seconds: 0 }, { ...alone, seconds: 0 });
    const [own, none, disarm] = events.flatMap((event) =>
      event.event === 'epoch' ? (event.estimatorProbe ?? []) : [],
    );
    assert.deepEqual([own.site, own.trains, own.neuron], ['latents', true, 'rloo:K=2']);
    assert.ok(none.variance.value > 5 * own.variance.value && disarm.variance.value < 1.5 * own.variance.value);
  });

  test('what does not fit is refused in a sentence', async () => {
    const { width } = data.train;
    const start = async (layers = vaeLayers('linear', width, 'rloo', 4), part = data, options = {}) =>
      train(createModel(reference, { inputs: part.train.width, layers }), part, { task: vaeTask(options) }).next();
    await assert.rejects(start(vaeLayers('linear', width, 'linear')), /no units called "latents" that fire/);
    await assert.rejects(start(undefined, data, { samples: 0 }), /`samples` is 0. Expected a whole number from 1 up\./);
    const far = { ...data, test: { ...data.test, scale: 2 } };
    await assert.rejects(start(undefined, far), /Feature \d+ of example \d+ of ".+" is [\d.]+; pixels from 0 to 1/);
    const other = vaeLayers('linear', width + 1, 'rloo');
    await assert.rejects(start(other), /gives what it takes/);
    const coupled = vaeLayers('linear', width, 'top-k');
    await assert.rejects(
      start(coupled),
      /latents are independent Bernoulli units; "top-k" couples the units of a row\./,
    );
  });
});
