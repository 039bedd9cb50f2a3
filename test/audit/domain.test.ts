/** Neurons that are right in most of the domain, and honest ones that are hard to integrate: kinds, each with a case of its own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { biasVerdicts, measureBias, totalVerdict } from '../../src/audit/bias-claim.ts';
import { checkNeuron } from '../../src/audit/checks.ts';
import { opensWithProbability } from '../../src/audit/fact-checks.ts';
import { cellsOf } from '../../src/audit/found-cells.ts';
import { derivative } from '../../src/audit/quadrature.ts';
import { kernelsMisfit } from '../../src/audit/twin-check.ts';
import { certify, defineNeuron, instantiate, type Neuron, resolveNeuron, variants } from '../../src/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { Pullback } from '../../src/neurons/contract.ts';
import { builds } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';

const { cells: _cells, twin: _twin, ...score } = resolveNeuron('stochastic-binary:baseline=none') as Neuron;

interface Where {
  readonly pass: Pullback;
  readonly a: number;
  readonly row: number;
  readonly unit: number;
  readonly loss: number;
}

/** REINFORCE times a factor. */
const times =
  (factor: (where: Where) => number): Neuron['pullback'] =>
  (pass) => {
    const { units, logits, h, loss, gradient } = pass;
    for (let i = 0; i < gradient.length; i++) {
      const [row, unit] = [Math.floor(i / units), i % units];
      const where = { pass, a: logits[i], row, unit, loss: loss[row] };
      gradient[i] = (h[i] - sigmoid(logits[i])) * loss[row] * factor(where);
    }
  };

const biasOf = (neuron: Neuron) => biasVerdicts([measureBias(neuron, neuron.name, true)])[0];

/** Parts of the domain that are found soon. */
const QUICK = ['rows', 'scale', 'no number'];

describe('a gradient that is wrong in a part of the domain is refuted, and the part is named', () => {
  const cases: readonly (readonly [string, RegExp, Partial<Neuron>])[] = [
    [
      'logits',
      /E\[ĝ\] = −2\.00·∇ .*logits of size (2\.9|3)/,
      { pullback: times(({ a }) => (Math.abs(a) > 2.9 && Math.abs(a) < 7 ? -2 : 1)) },
    ],
    ['rows', /E\[ĝ\] = 0\.50·∇ in minibatches of/, { pullback: times(({ pass }) => (pass.rows > 300 ? 0.5 : 1)) }],
    ['units', /E\[ĝ\] = 3\.00·∇ at unit [67] and later/, { pullback: times(({ unit }) => (unit >= 6 ? 3 : 1)) }],
    [
      'arrays',
      /E\[ĝ\] = −1\.00·∇ with Float32 arrays/,
      { pullback: times(({ pass }) => (pass.gradient instanceof Float32Array ? -1 : 1)) },
    ],
    [
      'losses',
      /where losses or cotangents reach/,
      { pullback: times(({ loss }) => (Math.abs(loss) > 8 ? 8 / Math.abs(loss) : 1)) },
    ],
    [
      'updates',
      /E\[ĝ\] = 2\.00·∇ after \d+ and more updates/,
      {
        state: { seen: 0 },
        update: ({ state }) => void state.seen[0]++,
        pullback: times(({ pass }) => (pass.state.seen[0] > 60 ? 2 : 1)),
      },
    ],
    [
      'scale',
      /`claims\.scale` is -1; expected a number over 0/,
      { claims: { unbiased: true, scale: () => -1 }, pullback: times(() => -1) },
    ],
    [
      'no number',
      /the gradient of unit 50 of \d+ is NaN/,
      { pullback: times(({ unit }) => (unit === 50 ? Number.NaN : 1)) },
    ],
  ];
  for (const [what, said, part] of cases)
    it(what, { skip: QUICK.includes(what) ? false : slow }, () => {
      const { verdict, evidence } = biasOf({ ...score, ...part, name: what });
      assert.equal(verdict, 'refuted', evidence);
      assert.match(evidence, said);
    });

  it('a value between the ends of an option', { skip: slow }, () => {
    const definition = defineNeuron({
      name: 'inside',
      source: 'this test',
      summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))·L, and for some c another',
      options: { c: { minimum: 0, maximum: 1, default: 0, meaning: 'wrong from 0.3 to 0.8' } },
      rule: ({ c }) => ({
        ...score,
        claims: { unbiased: true },
        pullback: times(() => (c > 0.3 && c < 0.8 ? 1.2 : 1)),
      }),
    });
    const [variant] = variants(definition as never);
    const unbiased = certify(variant).find(({ claim }) => claim === 'unbiased');
    assert.equal(unbiased?.verdict, 'refuted');
    assert.match(unbiased.evidence, /with inside:c=0\./);
    assert.equal(
      certify(instantiate(definition as never, {})).find(({ claim }) => claim === 'unbiased')?.verdict,
      'holds',
    );
  });
});

it('a choice of units among noise is seen to be biased, though its gradient is 0 in every draw', { skip: slow }, () => {
  const { claim, verdict, evidence } = biasOf(resolveNeuron('noisy-top-k'));
  assert.deepEqual([claim, verdict], ['biased', 'holds'], evidence);
});

describe('honest neurons that are hard to integrate are not refuted', () => {
  const two = (part: Partial<Neuron>): Neuron => ({
    ...score,
    noise: 2,
    fire({ logits, noise, h }) {
      for (let i = 0; i < h.length; i++) h[i] = noise[2 * i] < sigmoid(logits[i]) ? 1 : 0;
    },
    ...part,
  });
  const own = (pass: Pullback, row: number, unit: number): number => pass.noise[2 * (row * pass.units + unit) + 1];
  const cases: Readonly<Record<string, Neuron>> = {
    'a roulette of 1 in 500': two({
      pullback: times(({ pass, row, unit }) => (own(pass, row, unit) > 0.998 ? 500 : 0)),
    }),
    'a narrow bump': two({
      pullback: times(({ pass, row, unit }) => {
        const u = own(pass, row, unit);
        return u > 0.4 && u < 0.4001 ? 5001 : u > 0.8 && u < 0.8001 ? -4999 : 1;
      }),
    }),
    'noise from a difference': two({
      fire({ logits, noise, h }) {
        for (let i = 0; i < h.length; i++) {
          const u = noise[2 * i] - noise[2 * i + 1];
          h[i] = (u < 0 ? u + 1 : u) < sigmoid(logits[i]) ? 1 : 0;
        }
      },
    }),
  };
  for (const [what, neuron] of Object.entries(cases))
    it(what, { skip: slow }, () => {
      const { verdict, evidence } = biasOf({ ...neuron, name: what });
      assert.notEqual(verdict, 'refuted', evidence);
      const reads = checkNeuron(neuron).find(({ claim }) => claim === 'reads');
      assert.equal(reads?.verdict, 'holds', reads?.evidence);
    });

  it('draws that weigh what the noise of another unit says', () => {
    const { weigh: _, ...rloo } = resolveNeuron('rloo') as Neuron;
    const neuron: Neuron = {
      ...rloo,
      noise: 3,
      fire({ logits, noise, h }) {
        for (let i = 0; i < logits.length; i++)
          for (let draw = 0; draw < 2; draw++)
            h[draw * logits.length + i] = noise[3 * i + draw] < sigmoid(logits[i]) ? 1 : 0;
      },
      cells: (logit, index) => (index < 2 ? [sigmoid(logit)] : []),
      // The third number of the row's last unit.
      weigh({ rows, units, noise, loss, weights, total }) {
        for (let row = 0; row < rows; row++) {
          const share = noise[3 * (row + 1) * units - 1];
          weights[row] = share;
          weights[rows + row] = 1 - share;
          total[row] = share * loss[row] + (1 - share) * loss[rows + row];
        }
      },
    };
    const verdict = totalVerdict([measureBias(neuron, neuron.name, true)]);
    assert.equal(verdict?.verdict, 'holds', verdict?.evidence);
  });

  it('a unit of very many that one noise number of the row chooses', () => {
    const { verdict, evidence } = biasVerdicts([measureBias(resolveNeuron('bitflip'), 'bitflip', false)])[0];
    assert.equal(verdict, 'holds', evidence);
  });

  it('cells that are found have a resolution, and declared ones none', () => {
    assert.equal(cellsOf(resolveNeuron('stochastic-binary')).resolution, 0);
    assert.ok(cellsOf(score as Neuron).resolution > 0);
    // A jump of one noise number that is the declared cut of the next one is declared.
    const shifted = (a: number, u: number): number => sigmoid(a + u);
    const declared = two({
      cells: (a, index, [u]) => (index === 1 ? [shifted(a, u)] : []),
      fire({ logits, noise, h }) {
        for (let i = 0; i < h.length; i++) h[i] = noise[2 * i + 1] < shifted(logits[i], noise[2 * i]) ? 1 : 0;
      },
      pullback: ({ gradient }) => gradient.fill(0),
    });
    assert.equal(cellsOf(declared).resolution, 0);
  });
});

describe('what a neuron declares beside its gradient is tested', () => {
  const refutes = (neuron: Neuron, claim: string, said: RegExp): void => {
    const found = certify(neuron, { engines: builds }).find((one) => one.claim === claim);
    assert.equal(found?.verdict, 'refuted', `${claim}: ${found?.evidence}`);
    assert.match(found.evidence, said);
  };
  const whole = resolveNeuron('stochastic-binary:baseline=none');

  it('opening', () => {
    const opening = {
      probability: (_: unknown, p: { fill(x: number): unknown }) => void p.fill(0.4),
      pullback: (_f: unknown, _d: unknown, g: { fill(x: number): unknown }) => void g.fill(0),
    };
    refutes({ ...whole, opening } as Neuron, 'opening', /`opening\.probability` is 0\.4/);
    const { opening: right } = whole;
    assert.ok(right);
    refutes(
      { ...whole, opening: { ...right, pullback: (_f, _d, g) => void g.fill(0.1) } },
      'opening',
      /`opening\.pullback` gives 0\.1/,
    );
  });

  describe('opening of a unit whose probability hangs on noise, cells undeclared: to a millionth', () => {
    const shifted = (a: number, u: number): number => sigmoid(a + 3 * (u - 0.5));
    const mixed = (a: number, u: number): number => (u < 0.3 ? 1 : 0.5) * sigmoid(a);
    const flat = (a: number): number => 0.65 * sigmoid(a);
    type P = (a: number, u: number) => number;
    const neuronOf = (p: P, declared: P): Neuron => ({
      ...whole,
      cells: undefined as never,
      noise: 2,
      fire({ logits, noise, h }) {
        for (let i = 0; i < h.length; i++) h[i] = noise[2 * i + 1] < p(logits[i], noise[2 * i]) ? 1 : 0;
      },
      opening: {
        probability({ logits, noise }, out) {
          for (let i = 0; i < out.length; i++) out[i] = declared(logits[i], noise[2 * i]);
        },
        pullback({ logits, noise }, dp, out) {
          for (let i = 0; i < out.length; i++)
            out[i] = dp[i] * derivative((a) => declared(a, noise[2 * i]), logits[i], 1e-3);
        },
      },
    });
    const off = 1 + 5e-6;
    const cases: readonly (readonly [string, P, P, RegExp | undefined])[] = [
      ['given the noise', shifted, shifted, undefined],
      ['a few millionths more', shifted, (a, u) => off * shifted(a, u), /by exact integration/],
      ['over noise that is drawn as one of two', mixed, flat, undefined],
      ['right where the noise is in the middle', shifted, (a) => shifted(a, 0.5), /by exact integration/],
      ['a twentieth more', mixed, (a) => 1.05 * flat(a), /`opening\.probability` is/],
    ];
    for (const [i, [what, p, declared, said]] of cases.entries())
      it(what, { skip: i !== 1 && slow }, () => {
        const found = opensWithProbability(neuronOf(p, declared));
        if (said) assert.match(found ?? '', said);
        else assert.equal(found, undefined);
      });
  });

  it('weigh', () => {
    const rloo = resolveNeuron('rloo');
    const weigh: Neuron['weigh'] = ({ loss, rows, weights, total }) => {
      weights.fill(2);
      total.set(loss.subarray(0, rows));
    };
    refutes({ ...rloo, weigh }, 'weigh', /gives draw 0 the weight 2, and ∂total\/∂loss is 1/);
    const doubled: Neuron['weigh'] = ({ loss, rows, weights, total }) => {
      weights.fill(0);
      weights.fill(2, 0, rows);
      total.set(loss.subarray(0, rows).map((x) => 2 * x));
    };
    refutes({ ...rloo, weigh: doubled }, 'weigh: E[total]', /expected that E\[total\] of `weigh` is E\[loss\]/);
  });

  it('every kernel of a twin', () => {
    const wrong = [
      { fire: 'fireSteepBernoulli' },
      { pullback: 'pullbackIdentity' },
      { expect: 'fireTanh' },
      { pullback: 'pullbackNobody' },
    ];
    for (const part of full ? wrong : wrong.slice(0, 1))
      refutes({ ...whole, twin: { ...whole.twin, ...part } }, 'twin', /kernel/);
    const learner = resolveNeuron('stochastic-binary');
    assert.match(kernelsMisfit({ ...learner, update: () => {} }, builds[0]) ?? '', /`update`/);
  });

  it('learningRateScale and identity', () => {
    refutes({ ...whole, learningRateScale: -1 }, 'learningRateScale', /is -1; expected a number over 0/);
    refutes({ ...whole, identity: true }, 'identity', /h is not the logit/);
  });

  it('state in a closure', () => {
    let calls = 0;
    refutes(
      { ...whole, pullback: times(() => (++calls > 200_000 ? 2 : 1)) },
      'same input, same output',
      /expected that a neuron keeps nothing but its `state`/,
    );
  });
});
