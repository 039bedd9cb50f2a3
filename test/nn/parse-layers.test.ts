/** The text form of layers: it reads back what it writes, and what is wrong is told with its place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defineNeuron, zoo } from '../../src/index.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { type LayerSpec, layerKinds } from '../../src/nn/layer-kinds.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { createModel } from '../../src/nn/model.ts';
import { parallel } from '../../src/nn/parallel.ts';
import { layerForms, layersText, parseLayers } from '../../src/nn/parse-layers.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { signs } from '../../src/nn/signs.ts';
import { reference } from '../helpers/engines.ts';

/** Those with a text. */
const KINDS = layerForms().map((form) => form.split(/[ (]/)[0]);
const mine = defineNeuron({ ...zoo.rectifier, name: 'mine' });

describe('the text of layers', () => {
  test('stands for their descriptions', () => {
    assert.deepEqual(
      parseLayers('dense 256 rectifier, gated 1024/32 noisy-top-k 6%, residual(dense 64 tanh), dense 64'),
      [
        dense(256, 'rectifier'),
        gated(1024, { blocks: 32, neuron: 'noisy-top-k', rate: 0.06, activation: 'linear' }),
        residual(dense(64, 'tanh')),
        dense(64),
      ],
    );
    assert.deepEqual(
      parseLayers(
        ` first: dense 8 noisy-rectifier:noise=logistic, scale=0.5,gates:gated 64 12.5% hard-concrete rectifier
          nudge:below=0.2,step=0.1 gater=16+8 sparsity=kl=0.5+load compute=dense, deep: residual( lstm 4 bidirectional,signs )`,
      ),
      [
        dense(8, 'noisy-rectifier:noise=logistic,scale=0.5', 'first'),
        gated(64, {
          name: 'gates',
          rate: 0.125,
          neuron: 'hard-concrete',
          activation: 'rectifier',
          nudge: { below: 0.2, step: 0.1 },
          gater: [16, 8],
          sparsity: 'kl=0.5+load',
          compute: 'dense',
        }),
        { ...residual(sequential(lstm(4, { bidirectional: true }), signs())), name: 'deep' },
      ],
    );
    assert.deepEqual(
      parseLayers(
        'conditional noisy-top-k:k=2 12% copies=8 (sequential(dense 16 rectifier, dense 4)), parallel(dense 3, signs)',
      ),
      [
        conditional({ neuron: 'noisy-top-k:k=2', rate: 0.12, copies: 8 }, [
          sequential(dense(16, 'rectifier'), dense(4)),
        ]),
        parallel([dense(3), signs()]),
      ],
    );
    assert.deepEqual(parseLayers('gated 64 rate=none gater=none'), [
      gated(64, { neuron: 'straight-through', rate: 'none', activation: 'linear', gater: [] }),
    ]);
  });

  test('knows neurons of one’s own', () => {
    assert.deepEqual(parseLayers('dense 3 mine', { neurons: [mine] }), [dense(3, 'mine')]);
    assert.throws(() => parseLayers('dense 3 mine'), /at character 9: There is no neuron "mine"/);
  });

  const PLAIN = { noNullPrototype: true };
  const width = fc.integer({ min: 1, max: 1e6 });
  const anyNeuron = fc.constantFrom(
    ...[
      'rloo',
      'tanh',
      'noisy-rectifier:noise=logistic,scale=0.25',
      'noisy-top-k',
      'stochastic-binary',
      'categorical-rloo:classes=4',
    ],
  );
  const some = <T>(field: string, value: fc.Arbitrary<T>) =>
    fc.option(
      value.map((v) => ({ [field]: v })),
      { nil: {} },
    );
  const merged = (...parts: fc.Arbitrary<object>[]) => fc.tuple(...parts).map((all) => Object.assign({}, ...all));
  const number = fc.integer({ min: 1, max: 999 }).map((thousandths) => thousandths / 1000);
  const windowSize = fc.tuple(width, width);
  const anyRate = fc.oneof(
    fc.constant('none'),
    fc.double({ min: 1e-9, max: 1, noNaN: true, minExcluded: true, maxExcluded: true }),
    number,
  );
  const gateOptions = [
    some('gater', fc.array(width, { maxLength: 3 })),
    some('sparsity', fc.constantFrom('kl', 'kl=0.5', 'importance+load=0.2', 'none')),
    some('start', fc.constantFrom('rate', 'zero')),
    some('steer', fc.boolean()),
    some('detached', fc.boolean()),
    some('nudge', fc.oneof(fc.constant(true), fc.record({ below: number, step: number }, PLAIN))),
    some('balance', fc.oneof(fc.constant(true), fc.record({ step: number }, PLAIN))),
    some('compute', fc.constantFrom('auto', 'dense', 'blocks')),
    some('probe', number),
  ];
  const layer = fc.letrec<{ layer: LayerSpec }>((tie) => {
    const list = fc.array(tie('layer'), { minLength: 1, maxLength: 3 });
    const of = (kind: LayerSpec['layer'], ...parts: fc.Arbitrary<object>[]) =>
      merged(
        fc.constant({ layer: kind }),
        some('name', fc.stringMatching(/^[A-Za-z_][\w.-]{0,8}$/)),
        some('maxNorm', fc.oneof(fc.constant('none'), number)),
        ...parts,
      ) as fc.Arbitrary<LayerSpec>;
    return {
      layer: fc.oneof(
        { depthSize: 'small' },
        of('dense', fc.record({ units: width, neuron: anyNeuron })),
        of(
          'gated',
          fc.record({ units: width, neuron: anyNeuron, activation: anyNeuron, rate: anyRate }),
          some('blocks', width),
          ...gateOptions,
        ),
        of(
          'conditional',
          fc.record({ neuron: anyNeuron, rate: anyRate, parts: list }),
          some('copies', width),
          some('join', fc.constantFrom('sum', 'concatenate')),
          ...gateOptions,
        ),
        of('parallel', fc.record({ parts: list }), some('join', fc.constantFrom('sum', 'concatenate'))),
        of('embedding', fc.record({ classes: width, units: width })),
        of('lstm', fc.record({ units: width }), some('bidirectional', fc.constant(true))),
        of('signs'),
        of('norm'),
        of(
          'convolution',
          fc.record({ channels: width, size: windowSize, neuron: anyNeuron }),
          some('stride', windowSize),
          some('padding', fc.constantFrom('same', 'valid')),
        ),
        of(
          'depthwise',
          fc.record({ size: windowSize, neuron: anyNeuron }),
          some('stride', windowSize),
          some('padding', fc.constantFrom('same', 'valid')),
        ),
        of(
          'attention',
          fc.record({ heads: width }),
          some('positions', fc.constantFrom('rotary', 'none')),
          some('bidirectional', fc.constant(true)),
        ),
        of('positions', fc.record({ points: width })),
        of('dropout', fc.record({ drop: number })),
        of(
          'pool',
          fc.record({ size: fc.oneof(fc.constant('all'), windowSize) }),
          some('by', fc.constantFrom('max', 'mean')),
          some('stride', windowSize),
        ),
        of('reshape', fc.record({ shape: fc.array(width, { minLength: 1, maxLength: 4 }) })),
        of('sequential', fc.record({ modules: list })),
        of(
          'residual',
          list.map(([first, ...more]) => ({ module: more.length === 0 ? first : sequential(first, ...more) })),
        ),
      ),
    };
  }).layer;

  test('reads back as the layers that it was written of', () => {
    const covered = new Set<string>();
    const property = fc.property(fc.array(layer, { minLength: 1, maxLength: 4 }), (layers) => {
      const text = layersText(layers);
      for (const kind of KINDS) if (text.includes(kind)) covered.add(kind);
      assert.deepEqual(parseLayers(text), layers, text);
      // As JSON, which run records hold.
      assert.equal(layersText(JSON.parse(JSON.stringify(layers))), text);
    });
    fc.assert(property, { numRuns: 300, seed: 13 });
    assert.deepEqual([...covered].sort(), [...KINDS].sort(), 'a kind of layer is not made here');
  });

  test('a one-layer sequential in a residual is kept', () => {
    const layers = [residual(sequential(dense(3, 'tanh')))];
    assert.deepEqual(parseLayers(layersText(layers)), layers);
  });

  test('neurons as objects and as values are written by name and options', () => {
    const layers = [dense(2, { name: 'noisy-rectifier', scale: 0.5 }), dense(2, mine)];
    assert.equal(layersText(layers), 'dense 2 noisy-rectifier:scale=0.5, dense 2 mine');
  });

  test('builds the network of the same descriptions', () => {
    const text = 'dense 6 rectifier, residual(gated 6/3 noisy-top-k 34% gater=4, dense 6 tanh), dense 2';
    const model = createModel(reference, { inputs: 5, layers: parseLayers(text) });
    assert.deepEqual([model.outputs, model.layers.length], [2, 3]);
    assert.equal(layersText(model.spec.layers as LayerSpec[]), text.replace('34%', '34% linear'));
  });
});

describe('what is wrong in a text of layers is told with its place', () => {
  for (const [text, message] of [
    [
      '',
      /^at character 1: The text ends\. Expected a layer: attention, conditional, convolution, dense, depthwise, dropout, embedding, gated, lstm/,
    ],
    ['dense 4,', /^at character 9: The text ends\. Expected a layer/],
    ['dense 4,, dense 3', /^at character 9: "," stands there\. Expected a layer/],
    ['own', /^at character 1: There is no layer "own"/],
    ['dens 4', /^at character 1: There is no layer "dens"\. Did you mean "dense"\?/],
    ['dense 4, __proto__ 3', /^at character 10: There is no layer "__proto__"/],
    ['dense', /^at character 6: The text ends\. Expected UNITS: dense UNITS \[NEURON\]\.$/],
    ['dense, dense 4', /^at character 6: "," stands there\. Expected UNITS/],
    ['dense tanh', /^at character 11: The text ends\. Expected UNITS/],
    ['dense 0', /^at character 7: "0" is no number of units\. Expected a whole number from 1 up\.$/],
    ['dense 2.5', /^at character 7: "2\.5" is no number of units/],
    ['dense -3', /^at character 7: "-3" is no number of units/],
    [
      'dense 4 strait-through',
      /^at character 9: There is no neuron "strait-through"\. Did you mean "straight-through"\?/,
    ],
    ['dense 4 rloo:draw=3', /^at character 9: The neuron "rloo" has no option "draw"/],
    ['dense 4 tanh tanh', /^at character 14: "tanh" does not fit\. Expected dense UNITS \[NEURON\]\.$/],
    ['dense 4 5', /^at character 9: "5" does not fit/],
    ['dense 4 50%', /^at character 9: "50%" does not fit/],
    ['a: b: dense 4', /^at character 4: There is no layer "b"/],
    ['gated 64/0', /^at character 7: "0" is no number of blocks/],
    ['gated 64/', /^at character 7: "" is no number of blocks/],
    ['gated 64/8 0%', /^at character 12: The rate is "0%"\. Expected a share over 0% and under 100%, or rate=none\.$/],
    ['gated 64/8 100%', /^at character 12: The rate is "100%"/],
    ['gated 64/8 %', /^at character 12: The rate is "%"/],
    [
      'gated 64/8 gatr=3',
      /^at character 12: "gatr=3" does not fit\. Expected gated UNITS\[\/BLOCKS\] \[GATES\] \[RATE%\]/,
    ],
    ['gated 64/8 gater=3,4', /^at character 20: "4" stands there\. Expected a layer/],
    ['gated 64/8 sparsity=kk', /^at character 12: There is no sparsity penalty "kk"\. Did you mean "kl"/],
    [
      'gated 64/8 compute=fast',
      /^at character 12: "fast" is no value of this option\. Expected one of auto, dense, blocks\.$/,
    ],
    ['gated 64/8 probe=2', /^at character 12: "2" is no probability/],
    [
      'gated 64/8 nudge:rise=2',
      /^at character 12: "rise=2" is no option of nudge\. Expected a number for below or step or decay\.$/,
    ],
    ['lstm 4 bidirectionl', /^at character 8: "bidirectionl" does not fit\. Expected lstm UNITS \[bidirectional\]\.$/],
    ['residual', /^at character 9: The text ends\. Expected a parenthesis with layers: residual\(LAYER, …\)\.$/],
    ['residual dense 4', /^at character 10: "d" stands there\. Expected a parenthesis/],
    ['residual()', /^at character 10: "\)" stands there\. Expected a layer/],
    [
      'residual(dense 4',
      /^at character 17: The text ends\. Expected a comma, or the parenthesis that closes residual\.$/,
    ],
    ['residual(dense 4))', /^at character 18: A parenthesis closes that none opens/],
    ['residual(dense 4) 5', /^at character 19: "5" stands there\. Expected a comma/],
    ['conditional dense 4', /^at character 13: There is no neuron "dense"/],
    [
      'conditional rloo 10%',
      /^at character 21: The text ends\. Expected a parenthesis with layers: conditional \[GATES\]/,
    ],
    ['conditional copies=0 (dense 4)', /^at character 13: "0" is no number of copies/],
    [
      'conditional join=max (dense 4)',
      /^at character 13: "max" is no value of this option\. Expected one of sum, concatenate/,
    ],
    [
      'parallel tanh (dense 4)',
      /^at character 10: "tanh" does not fit\. Expected parallel \[join=sum\|concatenate\] \(LAYER, …\)/,
    ],
    ['pool 3', /^at character 6: "3" has 1 extents\. Expected 2, such as 3x3\.$/],
    ['pool', /^at character 5: The text ends\. Expected HEIGHTxWIDTH\|all/],
    ['reshape 3x0', /^at character 9: "0" is no number of elements/],
    ['dropout 100%', /^at character 9: The drop is "100%"\. Expected a share over 0% and under 100%/],
    ['dense 4(dense 3)', /^at character 8: "\(" stands there/],
    [`${'residual('.repeat(40)}dense 4${')'.repeat(40)}`, /nested deeper than 32/],
  ] as const)
    test(JSON.stringify(text.slice(0, 40)), () =>
      assert.throws(
        () => parseLayers(text),
        (error: Error) => error instanceof RangeError && message.test(error.message),
        `got another error; expected ${message}`,
      ),
    );

  test('every kind has a form, but for the place of a module of one’s own', () =>
    assert.deepEqual([...KINDS, 'own'].sort(), Object.keys(layerKinds).sort()));
});
