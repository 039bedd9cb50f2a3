// jax-js on its WebAssembly backend: node jax-js.mjs --work matmul512|dense-step|small-step|attention|convolution --threads N
// One thread is what jax-js does in Node by itself; more threads run its own worker pool on web-worker.mjs.
import { readFileSync } from 'node:fs';
import { MATMUL, numbers, readOptions, report, steps } from './measure.mjs';
import { Worker } from './web-worker.mjs';

const { work, threads } = readOptions();
if (threads > 1) {
  globalThis.Worker = Worker;
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads });
}
const { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy, valueAndGrad } = await import('@jax-js/jax');
await init('wasm');
defaultDevice('wasm');

const matrix = (rows, columns, scale) => numpy.array(numbers(rows * columns, scale)).reshape([rows, columns]);

async function matmul512() {
  const a = await blockUntilReady(matrix(MATMUL, MATMUL, 1));
  const b = await blockUntilReady(matrix(MATMUL, MATMUL, 1));
  const product = jit((x, y) => numpy.matmul(x, y));
  return async () => (await blockUntilReady(product(a.ref, b.ref))).dispose();
}

async function step({ batch, inputs, hidden, classes, learningRate }) {
  const loss = ([w1, b1, w2, b2], x, y) => {
    const h = numpy.tanh(numpy.matmul(x, w1).add(b1));
    const logits = numpy.matmul(h, w2).add(b2);
    return nn
      .logSoftmax(logits, -1)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const descend = jit((parameters, x, y) => {
    const [value, gradients] = valueAndGrad(loss)(
      parameters.map((p) => p.ref),
      x,
      y,
    );
    return [value, parameters.map((p, i) => p.sub(gradients[i].mul(learningRate)))];
  });
  const x = await blockUntilReady(matrix(batch, inputs, 1));
  const y = await blockUntilReady(
    numpy
      .array(Float32Array.from({ length: batch * classes }, (_, i) => +(i % classes === 1)))
      .reshape([batch, classes]),
  );
  let parameters = await blockUntilReady([
    matrix(inputs, hidden, 0.03),
    numpy.zeros([hidden]),
    matrix(hidden, classes, 0.03),
    numpy.zeros([classes]),
  ]);
  return async () => {
    const [value, updated] = await blockUntilReady(descend(parameters, x.ref, y.ref));
    value.dispose();
    parameters = updated;
  };
}

/** All gradients of the sum of a layer's output; the input is the first of its arrays. */
async function gradients({ shapes, layer }) {
  const loss = (arrays) => layer(arrays).sum().mul(1e-3);
  const run = jit((arrays) => valueAndGrad(loss)(arrays));
  const arrays = await blockUntilReady(
    shapes.map((shape) =>
      numpy
        .array(
          numbers(
            shape.reduce((n, extent) => n * extent, 1),
            0.1,
          ),
        )
        .reshape(shape),
    ),
  );
  return async () => {
    const [value, slopes] = await blockUntilReady(run(arrays.map((array) => array.ref)));
    value.dispose();
    for (const slope of slopes) slope.dispose();
  };
}

const layers = {
  /** 8 sequences of 128 points of 256 numbers, 4 heads, causal, with the products before and after. */
  attention: {
    shapes: [[8, 128, 256], ...[1, 2, 3, 4].flatMap(() => [[256, 256], [256]])],
    layer([x, wq, bq, wk, bk, wv, bv, w, b]) {
      const heads = (weights, bias, input) => numpy.matmul(input, weights).add(bias).reshape([8, 128, 4, 64]);
      const [q, k, v] = [heads(wq, bq, x.ref), heads(wk, bk, x.ref), heads(wv, bv, x)];
      const y = nn.dotProductAttention(q, k, v, { isCausal: true });
      return numpy.matmul(y.reshape([8, 128, 256]), w).add(b);
    },
  },
  /** 3×3, 32 to 32 channels, 32 pictures of 28×28. */
  convolution: {
    shapes: [
      [32, 32, 28, 28],
      [32, 32, 3, 3],
      [1, 32, 1, 1],
    ],
    layer: ([x, w, b]) => lax.convGeneralDilated(x, w, [1, 1], 'SAME').add(b),
  },
};

const { version } = JSON.parse(readFileSync(new URL('node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8'));
const once = await (work === 'matmul512' ? matmul512() : layers[work] ? gradients(layers[work]) : step(steps[work]));
await report({ peer: 'jax-js', work, threads, version, node: process.version }, once);
process.exit(0);
