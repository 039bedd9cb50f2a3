/** What the bits of Bernoulli units cost, as functions of their logits, and how far the units are from fair coins. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp } from '../define-op.ts';

/** −log of the probability of every row of targets (bits, or numbers in [0, 1]) under σ(logits): one loss a row, in nats. */
export const sigmoidCrossEntropy = defineOp({
  name: 'sigmoidCrossEntropy',
  forward(engine, [logits, targets]) {
    if (logits.rows !== targets.rows || logits.columns !== targets.columns)
      throw new RangeError(
        `sigmoidCrossEntropy: ${logits.rows}×${logits.columns} logits do not fit ${targets.rows}×${targets.columns} targets.`,
      );
    const losses = engine.allocate([logits.rows], 'the example losses');
    const pointers = [logits.pointer, targets.pointer, losses.pointer] as const;
    engine.backend.run('sigmoidCrossEntropy', ...pointers, logits.rows, logits.columns);
    return { output: losses };
  },
  pullback(engine, { inputs: [logits, targets], needs }, dy) {
    return [
      needs[0] ? towardsTargets(engine, logits, targets, dy) : null,
      needs[1] ? againstLogits(engine, logits, dy) : null,
    ];
  },
});

/** The Kullback-Leibler divergence of every row of Bernoulli(σ(logits)) units from fair coins: one number a row, in nats. */
export const bernoulliDivergence = defineOp({
  name: 'bernoulliDivergence',
  forward(engine, [logits]) {
    const output = engine.allocate([logits.rows], 'divergences');
    engine.backend.run('bernoulliDivergence', logits.pointer, output.pointer, logits.rows, logits.columns);
    return { output };
  },
  pullback(engine, { inputs: [logits] }, dy) {
    const output = engine.allocate(logits.shape, 'the gradient of divergences');
    const pointers = [logits.pointer, dy.pointer, output.pointer] as const;
    engine.backend.run('bernoulliDivergencePullback', ...pointers, logits.rows, logits.columns);
    return [output];
  },
});

/** (σ(logits) − targets) times each row's cotangent */
function towardsTargets(engine: Engine, logits: NdArray, targets: NdArray, dy: NdArray): NdArray {
  const output = engine.allocate(logits.shape, 'the gradient of the logits');
  const pointers = [logits.pointer, targets.pointer, dy.pointer, output.pointer] as const;
  engine.backend.run('sigmoidCrossEntropyPullback', ...pointers, logits.rows, logits.columns);
  return output;
}

/** −logits times each row's cotangent */
function againstLogits(engine: Engine, logits: NdArray, dy: NdArray): NdArray {
  const output = engine.allocate(logits.shape, 'the gradient of the targets');
  const { rows, columns, pointer } = logits;
  engine.backend.run('gateMultiply', dy.pointer, pointer, output.pointer, rows, 1, columns);
  engine.backend.run('scale', output.pointer, output.pointer, output.size, -1);
  return output;
}
