// TensorFlow.js on its WebAssembly backend: node tfjs.mjs --work matmul512|dense-step|small-step
// The backend has one thread in Node (https://github.com/tensorflow/tfjs/issues/3830), whatever --threads says.
import { createRequire } from 'node:module';
import { MATMUL, numbers, readOptions, report, steps } from './measure.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-wasm');

const { work } = readOptions();
await tf.setBackend('wasm');
await tf.ready();

const matrix = (rows, columns, scale) => tf.tensor2d(numbers(rows * columns, scale), [rows, columns]);

function matmul512() {
  const a = matrix(MATMUL, MATMUL, 1);
  const b = matrix(MATMUL, MATMUL, 1);
  return () => tf.matMul(a, b).dispose();
}

function step({ batch, inputs, hidden, classes, learningRate }) {
  const w1 = tf.variable(matrix(inputs, hidden, 0.03));
  const b1 = tf.variable(tf.zeros([hidden]));
  const w2 = tf.variable(matrix(hidden, classes, 0.03));
  const b2 = tf.variable(tf.zeros([classes]));
  const x = matrix(batch, inputs, 1);
  const y = tf.oneHot(tf.fill([batch], 1, 'int32'), classes).toFloat();
  const optimizer = tf.train.sgd(learningRate);
  const loss = () => tf.losses.softmaxCrossEntropy(y, x.matMul(w1).add(b1).tanh().matMul(w2).add(b2));
  return () => tf.tidy(() => optimizer.minimize(loss, true).dataSync());
}

await report(
  { peer: 'tfjs', work, threads: 1, version: tf.version.tfjs, node: process.version },
  work === 'matmul512' ? matmul512() : step(steps[work]),
);
