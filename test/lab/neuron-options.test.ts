/** Options of neurons on the page "Microscope": as text in the address, and as stops of sliders. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameIn, optionsIn, withOption } from '../../lab/src/neuron-text.ts';
import { optionStops } from '../../lab/src/option-stops.ts';
import { isSingleUnit, resolveNeuron, zoo } from '../../src/index.ts';

test('options go into a neuron’s text and out of it', () => {
  assert.equal(withOption('rloo', 'K', 4), 'rloo:K=4');
  assert.equal(withOption('rloo:K=4', 'K', 8), 'rloo:K=8');
  assert.equal(withOption('rloo:K=4', 'K', undefined), 'rloo');
  assert.equal(withOption('noisy-rectifier:noise=logistic', 'scale', 0.5), 'noisy-rectifier:noise=logistic,scale=0.5');
  assert.deepEqual(
    [...optionsIn('noisy-rectifier:noise=logistic,scale=0.5')],
    [
      ['noise', 'logistic'],
      ['scale', '0.5'],
    ],
  );
  assert.deepEqual([nameIn('rloo:K=4'), nameIn('rloo'), optionsIn('rloo').size], ['rloo', 'rloo', 0]);
});

test('every stop of every slider is a value that the neuron takes, the default and the present one among them', () => {
  let sliders = 0;
  for (const [name, definition] of Object.entries(zoo)) {
    if (!isSingleUnit(resolveNeuron(name))) continue;
    for (const [option, spec] of Object.entries(definition.options)) {
      if ('choices' in spec) continue;
      const now = (spec.default + spec.maximum) / 2;
      const stops = optionStops(spec, spec.whole ? Math.round(now) : now);
      const values = spec.whole ? spec.maximum - spec.minimum + 1 : Number.POSITIVE_INFINITY;
      assert.ok(stops.length >= Math.min(10, values), `${name} ${option}`);
      assert.ok(stops.includes(spec.default) && stops.includes(spec.whole ? Math.round(now) : now));
      assert.deepEqual(
        stops,
        [...new Set(stops)].sort((a, b) => a - b),
      );
      for (const stop of stops) resolveNeuron(withOption(name, option, stop));
      sliders++;
    }
  }
  assert.ok(sliders >= 15);
  const scale = optionStops({ minimum: 1e-6, maximum: 1e6, default: 1 }, 1);
  assert.deepEqual([scale[0], scale[20], scale[40], scale.length], [0.1, 1, 10, 41]);
});
