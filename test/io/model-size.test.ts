/** Weights are counted before a model is built: as many as are built then. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { sizeOfModel } from '../../src/io/model-size.ts';
import { attention } from '../../src/nn/attention.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { convolution } from '../../src/nn/convolution.ts';
import { dense } from '../../src/nn/dense.ts';
import { depthwise } from '../../src/nn/depthwise.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { gated } from '../../src/nn/gated.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import { norm } from '../../src/nn/norm.ts';
import { parallel } from '../../src/nn/parallel.ts';
import { pool } from '../../src/nn/pool.ts';
import { positions } from '../../src/nn/positions.ts';
import { reshape } from '../../src/nn/reshape.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { createEngine } from '../../src/platform/node/engine.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

describe('the weights of layers', () => {
  const cases: Readonly<Record<string, LayerSpec[]>> = {
    dense: [dense(7), dense(3, 'tanh')],
    gated: [gated(12, { blocks: 4, gater: [5, 6] })],
    'gated, a gate a unit, a gater without layers': [gated(6, { gater: [] }), dense(2)],
    'gated, by default': [gated(6)],
    lstm: [lstm(5), dense(3)],
    'lstm, both ways': [lstm(5, { bidirectional: true }), dense(3)],
    'parts behind gates and beside each other': [
      conditional({ copies: 3, gater: [4], join: 'concatenate' }, [dense(5), sequential(dense(2), dense(5))]),
      residual(conditional({ gater: [] }, [dense(30)])),
      parallel([dense(3), dense(3)]),
    ],
    attention: [dense(8), positions(9), residual(attention(2)), dense(3)],
    convolutions: [
      dense(60),
      reshape([5, 4, 3]),
      convolution(7, 3),
      residual(convolution(7, [1, 3], 'tanh')),
      depthwise([2, 3], 'linear', { padding: 'valid', stride: [1, 2] }),
      dense(2),
    ],
    pictures: [
      dense(60),
      reshape([5, 4, 3]),
      norm(),
      pool([2, 3], { stride: [1, 1] }),
      dropout(),
      pool('all', { by: 'mean' }),
    ],
    mixed: [dense(7, 'tanh'), gated(8, { blocks: 2, gater: [3] }), lstm(4), dense(2)],
  };
  for (const [name, layers] of Object.entries(cases))
    test(`${name}: counted as they are built`, () => {
      const model = createModel(engine, { inputs: 11, layers });
      const built = model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0);
      assert.deepEqual(sizeOfModel({ inputs: 11, layers }), { weights: built, exact: true, outputs: model.outputs });
    });

  test('that cannot be built are not counted, and said to be missing', () => {
    const bad = [
      { layer: 'dense', units: 'x' },
      { layer: 'dense' },
      { layer: 'gated', units: 4, gater: ['x'] },
      { layer: 'nothing known', units: 4 },
      { layer: 'dense', units: 1e308 },
      { layer: 'dense', units: -5 },
    ];
    for (const layer of bad) {
      const layers = [dense(7), layer as unknown as LayerSpec, dense(3)];
      const { weights, exact } = sizeOfModel({ inputs: 11, layers });
      assert.deepEqual([weights, exact], [12 * 7, false], JSON.stringify(layer));
    }
    const { weights } = sizeOfModel({ inputs: 11, layers: [{ layer: 'gated', units: 4, gater: 5 } as never] });
    assert.ok(Number.isFinite(weights));
  });
});
