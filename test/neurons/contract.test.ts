import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { instantiate, resolveNeuron } from '../../src/neurons/resolve.ts';

const fireOne = (neuron: Neuron, logit: number, u: number): number => {
  const h = new Float64Array(1);
  neuron.fire({ rows: 1, units: 1, logits: Float64Array.of(logit), noise: Float64Array.of(u), h, state: {} });
  return h[0];
};

test('a neuron is asked for by name, by text with options, as an object, as a definition or as itself', () => {
  const byText = resolveNeuron('noisy-rectifier:noise=logistic,scale=0.5');
  assert.deepEqual(byText.options, { noise: 'logistic', scale: 0.5 });
  assert.deepEqual(resolveNeuron({ name: 'noisy-rectifier', noise: 'logistic', scale: '0.5' }).options, byText.options);
  assert.deepEqual(resolveNeuron({ name: 'noisy-rectifier', scale: 2 }).options, { noise: 'gaussian', scale: 2 });
  assert.deepEqual(resolveNeuron('noisy-rectifier').options, { noise: 'gaussian', scale: 1 });
  assert.equal(resolveNeuron(byText), byText);
  assert.equal(resolveNeuron(zoo.sigmoid).name, 'sigmoid');
  assert.deepEqual(instantiate(zoo['noisy-sigmoid'] as never, { scale: 3 }).options, { scale: 3 });
  // The options do something: logistic noise of scale ½ at u = 0.9 is ½·log 9.
  assert.ok(Math.abs(fireOne(byText, 1, 0.9) - (1 + Math.log(9) / 2)) < 1e-12);
});

test('what is not a neuron is refused with the nearest name, option or bound', () => {
  const refusals: [unknown, RegExp][] = [
    ['straight-trough', /no neuron "straight-trough".*Did you mean "straight-through"\?.*Known: .*stochastic-binary/],
    ['constructor', /There is no neuron "constructor"/],
    [{ name: 'sigmoyd' }, /Did you mean "sigmoid"/],
    ['sigmoid:scale=2', /"sigmoid" has no option "scale"\. It takes no options/],
    ['ReLU', /There is no neuron "ReLU"\. It is called "rectifier" here\. /],
    ['constructor', /There is no neuron "constructor"\. (Known|Did)/],
    ['noisy-sigmoid:scal=2', /has no option "scal". Did you mean "scale"/],
    ['noisy-sigmoid:scale', /write it as name:option=value/],
    ['noisy-sigmoid:scale=0', /"scale" of "noisy-sigmoid" is "0"\. Expected a number from 0.000001 to 1000000/],
    ['noisy-sigmoid:scale=', /a number from/],
    ['noisy-sigmoid:scale=two', /is "two"\. Expected a number from/],
    ['noisy-rectifier:noise=gausian', /Did you mean "gaussian"/],
    ['stochastic-binary:baseline=toString', /Known: optimal, moving-average, none/],
  ];
  for (const [spec, message] of refusals)
    assert.throws(() => resolveNeuron(spec as string), { name: 'RangeError', message }, JSON.stringify(spec));
});

test('erratum of Eq. 3: the stochastic binary neuron fires with probability σ(a), not 1 − σ(a)', () => {
  const logit = Math.log(9); // σ = 0.9
  for (const name of ['stochastic-binary', 'straight-through', 'straight-through-derivative', 'as-if-deterministic']) {
    const neuron = resolveNeuron(name);
    const fired = Array.from({ length: 1000 }, (_, k) => fireOne(neuron, logit, (k + 0.5) / 1000));
    assert.equal(
      fired.reduce((sum, h) => sum + h, 0),
      900,
      name,
    );
  }
});
