import { sigmoid, sigmoidSlope, softplus } from '../math/special.ts';
import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';
import { COMBINATIONS } from './strided.ts';

/** Rows with an exponential and a logarithm an element: a thread takes a quarter of the usual number. */
const grain = (columns: number): number => rowGrain(4 * columns);

/** x·e where e falls to 0 faster than |x| grows: 0 at ±∞. */
const vanishing = (x: number, e: number): number => (Math.abs(x) === Number.POSITIVE_INFINITY ? 0 : x * e);

/** losses[r] = Σ_c log(1+e^l) − t·l: −log of the probability of bits t under σ(l), in nats; 0 where l is −∞ and t 0 */
export const sigmoidCrossEntropy = kernel({
  parameters: ['logits*', 'targets*', 'losses*', 'rows', 'columns'],
  items: (_logits, _targets, _losses, rows) => rows,
  grain: (_logits, _targets, _losses, _rows, columns) => grain(columns),
  define(memory, logits, targets, losses, rows, columns) {
    for (let r = 0, i = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < columns; c++, i++) {
        const logit = memory[logits + i];
        sum += softplus(logit) - COMBINATIONS.weighed(memory[targets + i], logit);
      }
      memory[losses + r] = sum;
    }
  },
});

/** out[r, c] = (σ(l) − t)·cotangent[r] */
export const sigmoidCrossEntropyPullback = kernel({
  parameters: ['logits*', 'targets*', 'cotangent*', 'out*', 'rows', 'columns'],
  items: (_logits, _targets, _cotangent, _out, rows) => rows,
  grain: (_logits, _targets, _cotangent, _out, _rows, columns) => grain(columns),
  define(memory, logits, targets, cotangent, out, rows, columns) {
    for (let r = 0, i = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, i++)
        memory[out + i] = (sigmoid(memory[logits + i]) - memory[targets + i]) * memory[cotangent + r];
  },
});

/** out[r] = Σ_c log 2 − H(σ(a)): the divergence of Bernoulli(σ(a)) from a fair coin, in nats; log 2 at ±∞ */
export const bernoulliDivergence = kernel({
  parameters: ['logits*', 'out*', 'rows', 'columns'],
  items: (_logits, _out, rows) => rows,
  grain: (_logits, _out, _rows, columns) => grain(columns),
  define(memory, logits, out, rows, columns) {
    for (let r = 0, i = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < columns; c++, i++) {
        const size = Math.abs(memory[logits + i]);
        // H(σ(a)) = log(1+e^−|a|) + |a|·σ(−|a|), without cancellation
        sum += Math.LN2 - (softplus(-size) + vanishing(size, sigmoid(-size)));
      }
      memory[out + r] = sum;
    }
  },
});

/** out[r, c] = a·σ(a)(1−σ(a))·cotangent[r] */
export const bernoulliDivergencePullback = kernel({
  parameters: ['logits*', 'cotangent*', 'out*', 'rows', 'columns'],
  items: (_logits, _cotangent, _out, rows) => rows,
  grain: (_logits, _cotangent, _out, _rows, columns) => grain(columns),
  define(memory, logits, cotangent, out, rows, columns) {
    for (let r = 0, i = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, i++) {
        const logit = memory[logits + i];
        memory[out + i] = vanishing(logit, sigmoidSlope(logit)) * memory[cotangent + r];
      }
  },
});
