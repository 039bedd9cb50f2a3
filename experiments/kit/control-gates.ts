import { type GateOptions, type Neuron, type NeuronSpec, resolveNeuron } from '../../src/index.ts';

/** Gates at a density, which learn nothing. */
export interface ControlGates {
  /** @param share of the gates that an example opens, in (0, 1] */
  options(share: number): Required<Pick<GateOptions, 'neuron' | 'sparsity'>>;
  /** How they are validated and tested: what is drawn at random has no threshold. */
  readonly mode: 'sample' | 'threshold';
}

function untrained(spec: NeuronSpec, name: string): Neuron {
  const { twin: _twin, ...base } = resolveNeuron(spec);
  return { ...base, name, pullback: ({ gradient }) => void gradient.fill(0) };
}

/** Opens with a probability, whatever its logit is. */
function coin(probability: number): Neuron {
  const {
    twin: _twin,
    opening: _opening,
    state: _state,
    update: _update,
    ...base
  } = resolveNeuron('stochastic-binary');
  return {
    ...base,
    name: 'coin',
    reads: 'cotangent-when-open',
    claims: { unbiased: false },
    fire({ noise, h }) {
      for (let i = 0; i < h.length; i++) h[i] = noise[i] < probability ? 1 : 0;
    },
    pullback: ({ gradient }) => void gradient.fill(0),
  };
}

// A penalty would teach their gater.
const control = (neuron: Neuron): ReturnType<ControlGates['options']> => ({ neuron, sparsity: 'none' });

/**
 * What separates learning from sparsity: gates at the same density that learn nothing. `hash` opens by what a gater that stays at its random
 * weights says of the example, as hash routing does (Roller et al. 2021); `random` opens any, as many for every example; `coin` opens each by itself, so
 * that a layer may have a single gate.
 */
export const CONTROL_GATES: Readonly<Record<string, ControlGates>> = {
  hash: {
    options: (share) => control(untrained({ name: 'top-k', share, value: 'sigmoid' }, 'hash')),
    mode: 'threshold',
  },
  random: {
    options: (share) => control(untrained({ name: 'noisy-top-k', share, value: 'sigmoid', scale: 1e6 }, 'random')),
    mode: 'sample',
  },
  coin: { options: (share) => control(coin(share)), mode: 'sample' },
};

/** Do gates of this neuron learn nothing? */
export const isControl = (neuron: string | undefined): boolean =>
  neuron !== undefined && Object.hasOwn(CONTROL_GATES, neuron);

/** How a net is validated and tested whose gates are of this neuron, or that has none. */
export const modeOf = (neuron: string | undefined): ControlGates['mode'] =>
  neuron !== undefined && isControl(neuron) ? CONTROL_GATES[neuron].mode : 'threshold';
