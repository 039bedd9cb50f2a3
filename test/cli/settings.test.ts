/** One declaration of every setting: what follows from it is there for each of them, and says the same. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { models, presetOf } from '../../cli/named-models.ts';
import { programFor } from '../../cli/program.ts';
import { readSetting } from '../../cli/settings.ts';
import { trainCommand } from '../../cli/train.ts';
import { DEFAULTS } from '../../cli/train-config.ts';
import { checkSweep } from '../../src/index.ts';
import type { SettingSpec } from '../../src/runs/setting-spec.ts';
import { checkSetting } from '../../src/runs/sweep/check-settings.ts';
import { type SettingName, settingNames, settingSpec, trainedSettings } from '../../src/runs/train-settings.ts';
import { problemOf } from '../../src/schema/schema.ts';
import { trainOptionsSchema } from '../../src/train/settings.ts';
import { refused } from '../helpers/refused.ts';

const spec = (name: string): SettingSpec => settingSpec(name) as SettingSpec;

describe('every setting', () => {
  const options = trainCommand().options;
  for (const name of settingNames)
    it(`${name}: has a flag with its meaning, and a default that it may have`, () => {
      const option = options.find((one) => one.attributeName() === name);
      assert.ok(option?.description.startsWith(spec(name).meaning), option?.description);
      const { usual, of } = spec(name);
      if (usual === undefined) return;
      assert.equal(problemOf(of, usual, name), undefined);
      assert.deepEqual(DEFAULTS[name as keyof typeof DEFAULTS], usual);
    });

  it('that trains is an option of `train`, and may be there what it may be here', () => {
    for (const name of settingNames) {
      const { trains, of } = spec(name);
      if (trains === undefined) continue;
      for (const value of [-1, 0, 0.5, 3] as number[]) {
        const there: boolean = problemOf(trainOptionsSchema, { [trains]: value }, 'train') === undefined;
        assert.equal(there, problemOf(of, value, '') === undefined, `${name} ${value}`);
      }
    }
    assert.deepEqual(trainedSettings({ gaterLr: 0.1, epochs: 3, units: 4, maxNorm: undefined }), {
      epochs: 3,
      gaterLearningRate: 0.1,
    });
  });

  it('of a preset is one that it may be', () => {
    for (const preset of Object.values(models).flatMap(({ presets }) => Object.values<object>(presets)))
      for (const [name, value] of Object.entries(preset))
        assert.equal(problemOf(spec(name).of, value, name), undefined);
  });

  it('of the preset of 2013 limits the norms of the conditional layer and not of the output', () => {
    for (const [model, named] of [
      ['gated', models.gated],
      ['dense', models.dense],
    ] as const) {
      const layers = (more: object) => named.layers({ ...DEFAULTS, model, ...more }, { inputs: 3, outputs: 2 });
      const limits = (more: object) => layers(more).map(({ maxNorm }) => maxNorm);
      assert.deepEqual(limits(presetOf('bengio-2013', 'gated')), [undefined, 'none']);
      assert.deepEqual(limits({ outputMaxNorm: 1.5 }), [undefined, 1.5]);
      assert.deepEqual(limits({}), [undefined, undefined]);
    }
  });

  it('is refused by flags and by sweeps for the same values', () => {
    const wrong: Partial<Record<SettingName, readonly unknown[]>> = {
      units: [0, 1.5, 'many'],
      lr: [0, -1],
      rate: [0, 1, 'some'],
      start: ['rat'],
      missing: ['men'],
      gater: [[0], [1.5]],
      patience: [0],
    };
    for (const [name, values] of Object.entries(wrong))
      for (const value of values ?? []) {
        assert.throws(() => checkSetting('train', name, value), /`train\..*Expected/, `${name} ${value}`);
        assert.throws(() => readSetting(name as SettingName, String(value)), /Expected/, `${name} ${value}`);
      }
    for (const [name, text, value] of [
      ['gater', '64,32', [64, 32]],
      ['gater', 'none', []],
      ['rate', 'none', 'none'],
      ['rate', '0.25', 0.25],
      ['neuron', 'noisy-top-k:k=2,value=sigmoid', 'noisy-top-k:k=2,value=sigmoid'],
      ['probeEstimators', 'noisy-top-k:k=2,value=sigmoid,rloo', ['noisy-top-k:k=2,value=sigmoid', 'rloo']],
      ['label', '1', '1'],
      ['target', 'a, b', ['a', 'b']],
    ] as const) {
      assert.deepEqual(readSetting(name, text), value);
      if (spec(name).sweep !== false) checkSetting('train', name, value);
    }
  });
});

describe('flags that are given again', () => {
  it('add up where they name several things, and are refused where they say one', async () => {
    assert.deepEqual(readSetting('target', 'c', ['a', 'b']), ['a', 'b', 'c']);
    const twice = async (...words: string[]): Promise<string> => {
      const program = await programFor(['train']);
      const [command] = program.commands;
      return (await refused(command, [...words, '--run', 'none'])).stderr;
    };
    assert.match(await twice('--units', '8', '--units', '16'), /--units is given twice\. Expected it once\./);
    assert.match(await twice('--seed', '1', '--seed', '1'), /--seed is given twice\. Expected it once\./);
    assert.match(await twice('--log', 'csv', '--log', 'tensorboard'), /--log writes into the folder of a run/);
  });

  it('are refused in every command where they choose one of some words', async () => {
    const seen: string[] = [];
    for (const command of (await programFor([])).commands)
      for (const { long, argChoices } of command.options) {
        if (!long || !argChoices) continue;
        seen.push(`${command.name()} ${long}`);
        const places = command.registeredArguments.map(() => 'nowhere');
        const { code, stderr } = await refused(command, [...places, long, argChoices[0], long, argChoices[0]]);
        assert.equal(code, 2);
        assert.equal(stderr.trim(), `flipgrad: ${long} is given twice. Expected it once.`);
      }
    for (const known of ['predict --mode', 'evaluate --part', 'export --format', 'race --by', 'train --simd'])
      assert.ok(seen.includes(known), known);
  });
});

it('a sweep asks for the metric of its task, and sweeps settings of tables too', () => {
  const space = { lr: [0.01, 0.001] };
  const sweep = checkSweep({ space, train: { task: 'regression', target: ['price'], standardize: true } }, 'x');
  assert.deepEqual([sweep.metric, sweep.goal], ['validRmse', 'minimize']);
  const elbo = checkSweep({ space, train: { task: 'vae:samples=3' } }, 'x');
  assert.deepEqual([elbo.metric, elbo.goal], ['validElbo', 'maximize']);
  assert.throws(
    () => checkSweep({ space, train: { task: 'regression' }, metric: 'validError' }, 'x'),
    /`metric` is "validError"\. Expected one of validRmse/,
  );
  assert.throws(
    () => checkSweep({ space, train: { task: 'regresion' } }, 'x'),
    /no task "regresion"\. Did you mean "regression"/,
  );
});
