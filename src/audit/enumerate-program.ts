import type { Neuron } from '../neurons/contract.ts';
import { evaluateLoss } from '../tensor/gradient.ts';
import { sigmoidCrossEntropy } from '../tensor/ops/bernoulli.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { gradientOf, type Program, type ProgramPass } from './program.ts';
import { unitOf } from './unit-of.ts';

/** A place of a program where bits are drawn, as the first pass meets it. */
export interface ProgramSite {
  /** The layer it is in; '' for functions of tensors. */
  readonly name: string;
  readonly neuron: Neuron;
  /** Bits of all rows and units. */
  readonly bits: number;
}

/** E[loss] of a program and its gradient, exactly. */
export interface Enumerated {
  readonly loss: number;
  /** At every number of the parameters, one after another. */
  readonly gradient: Float64Array;
  /** Joint states of all bits. */
  readonly states: number;
  /** Most bits that one of them has: a part behind a closed gate draws none. */
  readonly bits: number;
}

/** One pass with bits that are given, in the order in which they are drawn; those beyond are 0. */
interface Forced {
  readonly pass: ProgramPass;
  readonly bits: readonly number[];
  readonly logs: readonly Tensor[];
  readonly sites: readonly ProgramSite[];
}

function forced(program: Program, given: readonly number[]): Forced {
  const bits: number[] = [];
  const logs: Tensor[] = [];
  const sites: ProgramSite[] = [];
  const pass = program.pass(0, (logits, { neuron }) => {
    if (neuron.noise === 0) return undefined;
    const { tape } = logits;
    if (unitOf(neuron) !== 'bits')
      throw new RangeError(
        `The neuron "${neuron.name}"${tape.layer ? ` in "${tape.layer}"` : ''} is no bit of probability σ(logit), so that its states cannot be enumerated. Expected neurons of bits, or without noise.`,
      );
    const set = tape.engine.allocate(logits.array.shape, 'bits that are set');
    for (let i = 0; i < set.values.length; i++) {
      const bit = given[bits.length] ?? 0;
      bits.push(bit);
      set.values[i] = bit;
    }
    const h = tape.input(set, logits.plate);
    sites.push({ name: tape.layer, neuron, bits: set.values.length });
    logs.push(sigmoidCrossEntropy(logits, h));
    return h;
  });
  return { pass, bits, logs, sites };
}

/** The sites of a program where neurons with noise fire, all bits 0. @throws RangeError for a neuron whose unit is no bit */
export const sitesOf = (program: Program): readonly ProgramSite[] => forced(program, []).sites;

/**
 * E[loss] and its gradient, the sum over all joint states of the bits of all sites: Σ P·∇L + P·L·∇log P. Every state is a pass of its own,
 * so that what one draws may decide whether others are drawn.
 * @param most states; undefined where there are more
 * @yields states that are done
 */
export function* enumerate(program: Program, most: number): Generator<number, Enumerated | undefined> {
  let given: number[] = [];
  let [loss, states, longest] = [0, 0, 0];
  let gradient: Float64Array | undefined;
  while (states < most) {
    const { pass, bits, logs } = forced(program, given);
    states++;
    longest = Math.max(longest, bits.length);
    if (2 ** bits.length > most) return undefined;
    let cost = 0;
    for (const log of logs) for (const one of log.values) cost += one;
    const probability = Math.exp(-cost);
    const { value, rows } = evaluateLoss(pass.tape, pass.loss);
    const total = value * rows;
    pass.tape.backward([
      { tensor: pass.loss, cotangent: probability },
      ...logs.map((tensor) => ({ tensor, cotangent: -probability * total })),
    ]);
    const own = gradientOf(pass, rows);
    gradient ??= new Float64Array(own.length);
    for (let i = 0; i < own.length; i++) gradient[i] += own[i];
    loss += probability * value;
    yield states;
    // The next state: the last bit that is 0 becomes 1, and those after it are drawn anew.
    const last = bits.lastIndexOf(0);
    if (last < 0) return { loss, gradient, states, bits: longest };
    given = [...bits.slice(0, last), 1];
  }
  return undefined;
}
