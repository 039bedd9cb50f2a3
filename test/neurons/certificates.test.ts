/** results/certificates.json: of every neuron of the zoo, in every choice of its options, and of its sources as they are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { differences, readCertificate, shippedSource } from '../../cli/certificate.ts';
import { certify, type NeuronDefinition, type Variant, variants, zoo } from '../../src/index.ts';
import { builds } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';

const certificate = readCertificate(fileURLToPath(new URL('../../results/certificates.json', import.meta.url)));
const { neurons, asked } = certificate;
const all: Variant[] = (Object.values(zoo) as unknown as NeuronDefinition[]).flatMap(variants);

describe('the certificates of the zoo', () => {
  it('are those of all neurons, in every choice of their options', () => {
    assert.deepEqual(neurons.map(({ neuron }) => neuron).sort(), all.map(({ text }) => text).sort());
  });

  for (const { neuron, verdicts, source } of neurons)
    it(`${neuron} is what was certified, and nothing is refuted`, () => {
      assert.deepEqual(
        source,
        shippedSource(neuron).source,
        'its source, or what it imports, changed since: flipgrad audit --out results/certificates.json, then npm run render',
      );
      assert.ok(verdicts.length > 10);
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === 'refuted'),
        [],
      );
    });

  // Of the cheapest, one that is unbiased and one that is biased.
  const again = full ? ['disarm', 'straight-through', 'rloo', 'threshold', 'noisy-rectifier'] : ['disarm', 'threshold'];
  for (const text of again)
    it(`${text}, judged again, has the same verdicts`, () => {
      const variant = all.find((one) => one.text === text) ?? assert.fail();
      const seed = asked.seed;
      const verdicts = certify(variant, {
        engines: builds,
        seed,
        thorough: 'thorough' in asked && asked.thorough === true,
      });
      const certified = { ...certificate, neurons: neurons.filter(({ neuron }) => neuron === text) };
      assert.deepEqual(differences(certified, [{ neuron: text, verdicts }]), []);
    });
});
