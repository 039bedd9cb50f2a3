/** The formulas that exports translate, for every neuron of the zoo and every choice of its options. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normalCdf, normalDensity, sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { evaluateFormula, f } from '../../src/neurons/formula.ts';
import { formulaMisfit } from '../../src/neurons/parts/formula-misfit.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { instances } from './instances.ts';

describe('formulas', () => {
  for (const { title, neuron } of instances)
    test(`${title}: expect, whenOpen and settle are what its formulas say, or it says that it has none`, () => {
      if (neuron.formulas !== 'none') assert.equal(formulaMisfit(neuron), undefined);
    });

  test('what does not fit is told', () => {
    const sigmoidNeuron = resolveNeuron('sigmoid');
    const topK = resolveNeuron('top-k');
    const cases: [Neuron, RegExp][] = [
      [{ ...sigmoidNeuron, formulas: {} }, /"sigmoid" has `whenOpen` = .* at the logit -30, its formula gives 1/],
      [{ ...sigmoidNeuron, expect: (a) => 0.5 * sigmoid(a) }, /has `expect` = /],
      [{ ...sigmoidNeuron, formulas: 'none' }, /is no formula of its logits/],
      [{ ...topK, formulas: { expect: 1 } }, /has a `settle` and no formula for it/],
      [{ ...topK, formulas: { expect: 1, settle: { keep: 'all', value: { softmax: f.logit } } } }, /rows of 2 units/],
      [
        {
          ...topK,
          formulas: { expect: 1, settle: { keep: 'all', value: 1 } },
        } as Neuron,
        /does not give for rows of/,
      ],
    ];
    for (const [neuron, message] of cases) assert.match(formulaMisfit(neuron) ?? '', message);
  });

  test('operations and what is built from them', () => {
    const at = (formula: Parameters<typeof evaluateFormula>[0], logit: number) => evaluateFormula(formula, logit);
    assert.equal(at(f.pick(f.logit, 1, 2, f.subtract(f.logit, 3)), 1), -2);
    assert.equal(at(f.clip(f.logit, -1, 2), 5), 2);
    assert.equal(at(f.clip(f.logit, -1, 2), -5), -1);
    for (const logit of [-700, -30, -1, 0, 1, 30, 700]) {
      const truth = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
      assert.ok(Math.abs(at(f.softplus(f.logit), logit) - truth) <= 1e-14 * truth);
    }
    for (const x of [-20, -7, -1, 0, 1, 7])
      assert.ok(Math.abs((at(f.normalHazard(f.logit), x) * normalCdf(x)) / normalDensity(x) - 1) < 2e-7, `${x}`);
  });
});
