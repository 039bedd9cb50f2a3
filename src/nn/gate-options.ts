import type { BalanceOptions } from '../gates/balance.ts';
import type { SparsitySpec } from '../gates/index.ts';
import type { NudgeOptions } from '../gates/nudge.ts';
import type { NeuronSpec } from '../neurons/resolve.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import { told } from '../tensor/told.ts';
import { COMPUTES, type Compute } from './paths.ts';

/** How gates are decided, trained and kept at a rate: what all layers with gates have in common. */
export interface GateOptions {
  /** The neuron that gates; default `straight-through`. */
  readonly neuron?: NeuronSpec;
  /** Widths of the gater's hidden tanh layers; default one of 64. `[]`: logits straight from the input. */
  readonly gater?: readonly number[];
  /**
   * Target share of open gates, in (0, 1); default 0.1. Over an epoch, as sampled while training, it is met: see `steer`. `'none'`: no
   * target, and no penalty unless `sparsity` names one that wants none. Neurons that keep a fixed number of gates open take their share from it.
   */
  readonly rate?: number | 'none';
  /**
   * Default: where the neuron keeps a fixed number of gates open, balance: `load` if it has one (noisy-top-k), else `switch`;
   * `kl` where σ(a) is about how often a gate opens; of other gates with a rate that is held, a weak `kl-opening` if P(h≠0) is smooth, else
   * none; with `steer: false` `expected-l0` for hard-concrete gates, `kl` for others in [0, 1], else `l1`.
   */
  readonly sparsity?: SparsitySpec;
  /** Where the gates start: biases that give about the target rate (default), or zero biases as in 2013. */
  readonly start?: 'rate' | 'zero';
  /**
   * Hold the rate by moving the gates' biases after every step (gates/rate-control.ts), for neurons that close at low logits and do not fix
   * how many open; default true. False: the penalties alone, of which some follow the open share by their weight, as in the papers.
   */
  readonly steer?: boolean;
  /**
   * Does the gater read its input without passing a gradient back to it? Then the layers below learn from what open parts do alone. Default
   * false. In residual networks of several gated layers the estimated gradients of hard gates can drown those of the layers below
   * (docs/notes/2026-11-30-gradients-of-gates-that-drown-the-layers-below.md); gates with a smooth value, as top-k's `value=sigmoid`, teach them.
   */
  readonly detached?: boolean;
  /** Raise the biases of dead gates; default false. */
  readonly nudge?: boolean | NudgeOptions;
  /** Balance the gates without a loss, by selection biases; for neurons that select (top-k and the like). Default false. */
  readonly balance?: boolean | BalanceOptions;
  /** Compute every block, or open blocks alone; default `auto`: what is faster at the density of the minibatch. */
  readonly compute?: Compute;
  /**
   * For neurons that want the gradients of closed gates too (straight-through): compute a closed block with this probability while
   * training and weight its gate gradient by its inverse. Unbiased for the neuron's own gradient. Default: compute all of them.
   */
  readonly probe?: number;
}

/** What `start` may be. */
export const STARTS = ['rate', 'zero'] as const;

/** The names of `GateOptions`, for checks of layers that have them among their own. */
export const gateNames: NamesOf<GateOptions> = {
  neuron: true,
  gater: true,
  rate: true,
  sparsity: true,
  start: true,
  steer: true,
  detached: true,
  nudge: true,
  balance: true,
  compute: true,
  probe: true,
};

const NUDGE_NAMES: NamesOf<NudgeOptions> = { below: true, step: true, decay: true };
const BALANCE_NAMES: NamesOf<BalanceOptions> = { step: true };

/**
 * Checks the options of gates that need no model; neurons and penalties are checked where they are resolved.
 * @param name of the layer, for messages
 * @throws RangeError for an unknown option of `nudge` or `balance`, and a value out of its bounds
 */
export function checkGates(
  name: string,
  { rate = 0.1, start = 'rate', compute = 'auto', probe, gater = [], nudge, balance, detached = false }: GateOptions,
): void {
  if (typeof nudge === 'object') checkNames('`nudge`', nudge, NUDGE_NAMES, name);
  if (typeof balance === 'object') checkNames('`balance`', balance, BALANCE_NAMES, name);
  if (!Array.isArray(gater))
    throw new RangeError(
      `${name}: \`gater\` is ${told(gater)}. Expected a list of widths, as [64], or [] for no hidden layer.`,
    );
  checkOneOf('compute', compute, COMPUTES, name);
  if (probe !== undefined && !(typeof probe === 'number' && probe > 0 && probe <= 1))
    throw new RangeError(`${name}: \`probe\` is ${told(probe)}. Expected a probability over 0 and up to 1.`);
  if (typeof detached !== 'boolean')
    throw new RangeError(`${name}: \`detached\` is ${told(detached)}. Expected true or false.`);
  checkOneOf('start', start, STARTS, name);
  if (rate !== 'none' && !(typeof rate === 'number' && rate > 0 && rate < 1))
    throw new RangeError(
      `${name}: the rate is ${told(rate)}. Expected a number between 0 and 1 (both excluded), or 'none'.`,
    );
}
