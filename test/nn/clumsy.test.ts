/** Values from callers without types: each is refused in a sentence, whatever it is, and never by an error of JavaScript's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as flipgrad from '../../src/index.ts';
import { gradient, sum, type Tensor, valueAndGradient } from '../../src/tensor/index.ts';
import { reference as engine } from '../helpers/engines.ts';

const circle: Record<string, unknown> = {};
circle.circle = circle;
const { adam, createModel, dense, evaluate, gated, parseLayers, residual, resolveTask, sgd, train } = flipgrad;
/** What a caller without types may hand to anything. */
const any = (value: unknown) => value as never;
const model = () => createModel(engine, { inputs: 3, layers: [dense(2)] });
const layer = (given: unknown) => createModel(engine, { inputs: 3, layers: [any(given)] });

for (const [title, act, said] of [
  ['no model', () => createModel(engine, any(null)), /^The options of createModel are null\. Expected an object/],
  ['no engine', () => createModel(any(null), { inputs: 3, layers: [dense(2)] }), /^createModel: the engine is null\./],
  [
    'layers in a circle',
    () => createModel(engine, { inputs: 3, layers: any(circle) }),
    /^The model's layers are an object\./,
  ],
  ['a neuron that is a bigint', () => layer(dense(2, any(5n))), /^In "dense0": A neuron is 5\. Expected/],
  ['a neuron in a circle', () => layer(dense(2, any(circle))), /^In "dense0": A neuron is an object\. Expected/],
  ['a gater in a circle', () => layer(gated(4, { blocks: 2, gater: any(circle) })), /`gater` is an object\. Expected/],
  ['a rate that is a symbol', () => layer(gated(4, { rate: any(Symbol('r')) })), /the rate is Symbol\(r\)\. Expected/],
  ['a rate that is a bigint', () => layer(gated(4, { rate: any(1n) })), /the rate is the bigint 1\. Expected/],
  ['a probe that is a text', () => layer(gated(4, { probe: any('0.5') })), /`probe` is "0\.5"\. Expected/],
  ['a max-norm in a circle', () => layer({ ...dense(2), maxNorm: circle }), /maxNorm is an object\. Expected/],
  ['no layer inside another', () => layer(residual(any(null))), /A layer is null\. Expected a module/],
  [
    'a function as a layer inside another',
    () => layer(residual(any((x: Tensor) => x))),
    /A layer is a function\. Expected a module/,
  ],
  [
    'no data to train on',
    () => train(model(), any(undefined)),
    /^The data are undefined\. Expected \{ train, valid, test \}\./,
  ],
  [
    'a part of the data that is missing',
    () => train(model(), any({})),
    /^The task "classification" is given undefined\. Expected its data/,
  ],
  [
    'no data to evaluate on',
    () => evaluate(model(), any(null)),
    /^The task "classification" is given null\. Expected its data/,
  ],
  ['no task', () => resolveTask(any(null)), /^The task is null\. Expected its name/],
  ['a task that is a number', () => resolveTask(any(5)), /^The task is 5\. Expected its name/],
  ['layers that are no text', () => parseLayers(any(null)), /^The text of layers is null\. Expected a text/],
  [
    'no options of an optimizer',
    () => adam(any(null)),
    /^The options of adam are null\. Expected an object with any of learningRate,/,
  ],
  [
    'options of an optimizer that are a text',
    () => sgd(any('0.1')),
    /^The options of sgd are "0\.1"\. Expected an object/,
  ],
  [
    'no engine for a gradient',
    () =>
      gradient(
        any(() => 1),
        any([1]),
        any([]),
      ),
    /^valueAndGradient: the engine is function\. Expected what `createEngine` gives\./,
  ],
  [
    'no function for a gradient',
    () => valueAndGradient(engine, any(5), [1]),
    /^valueAndGradient: the function is 5\. Expected one of tensors/,
  ],
] as const)
  test(title, () => {
    assert.throws(act, (error: Error) => {
      assert.equal(error.name, 'RangeError', error.stack);
      assert.match(error.message, said);
      return true;
    });
  });

test('what fits is not refused', () => {
  assert.equal(valueAndGradient(engine, ({ x }) => sum(x), { x: [1, 2] }).value, 3);
});
