/** Errors that come up in modules: ours name the module, a user's own stay what they are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import type { LayerSpec } from '../../src/nn/layer-kinds.ts';
import { createModel } from '../../src/nn/model.ts';
import { type Module, module } from '../../src/nn/module.ts';
import { residual } from '../../src/nn/residual.ts';
import { add } from '../../src/tensor/ops/arithmetic.ts';
import { reference } from '../helpers/engines.ts';

/** What building a model of a layer throws. */
function thrownBy(layer: Module | LayerSpec): Error {
  try {
    createModel(reference, { inputs: 3, layers: [layer] });
  } catch (error) {
    return error as Error;
  }
  return assert.fail('Nothing was thrown.');
}

describe('what a user’s own module throws stays the same object', () => {
  class OwnError extends RangeError {
    readonly place = 3;
  }
  for (const [title, error] of [
    ['a RangeError', new RangeError('The temperature is 3. Expected less.')],
    ['an error of a class of its own', new OwnError('add: my own sentence')],
    ['one with fields', Object.assign(new RangeError('add: my own sentence'), { code: 'E_MINE' })],
    ['one with a cause', new RangeError('add: my own sentence', { cause: new Error('below') })],
    ['no error at all', 'a text'],
  ] as const)
    for (const [where, wrap] of [
      ['in a network', (own: Module) => own],
      ['in a shipped module', (own: Module) => residual(own)],
    ] as const)
      test(`${title}, ${where}`, () => {
        const { message, stack } = error as Error;
        const own = module('mine', () => {
          throw error;
        });
        assert.equal(thrownBy(wrap(own)), error);
        assert.deepEqual([(error as Error).message, (error as Error).stack], [message, stack]);
      });
});

test('what an operation in it throws names the module', () => {
  const { message, cause } = thrownBy(residual(module('mine', (_scope, x) => add(x, [1, 2]))));
  assert.match(message, /^add in "residual0\.mine0": the shapes \[3\] and \[2\] do not broadcast\./);
  assert.match((cause as Error).message, /^add: the shapes/);
});

test('what a shipped module throws names it in a sentence', () => {
  const spec = gated(4, { blocks: 2, neuron: 'none-such', rate: 0.5 });
  assert.match(thrownBy(spec).message, /^In "gated0": There is no neuron "none-such"\. /);
  assert.match(thrownBy(residual(dense(3, 'none-such'))).message, /^In "residual0\.dense0": There is no neuron/);
});
