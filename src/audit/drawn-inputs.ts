import type { Firing, Neuron, Numbers, StateSpec } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { digest } from './digest.ts';

/** First word of the path of the streams that inputs come from: the word "inpt" in ASCII. */
const INPUTS = 0x696e7074;
/** Powers of ten between which the size of an input is drawn: features of 0.01 to 100. */
const DECADES = [-2, 2] as const;
/** Most numbers of an input that are copied to see whether a neuron writes into it; a copy of more would cost as much as the call. */
const WATCHED = 20_000;

/** Other than the units, and few. */
const inputsOf = (units: number): number => 2 + ((5 * units) % 9);

/** Bits, or numbers of any size and place. */
function inputOf(random: RandomStream): () => number {
  if (random.uniform() < 0.3) return () => Math.round(random.uniform());
  const [low, high] = DECADES;
  const size = 10 ** (low + (high - low) * random.uniform());
  const middle = random.uniform() < 0.5 ? 0 : size * random.normal();
  return () => middle + size * random.normal();
}

/** The inputs of a minibatch: those of a row are drawn from its logits alone, so that equal rows have equal ones wherever they stand. */
function drawInputs({ rows, units, logits }: Pick<Firing, 'rows' | 'units' | 'logits'>): Numbers {
  const inputs = inputsOf(units);
  const all = logits instanceof Float32Array ? new Float32Array(rows * inputs) : new Float64Array(rows * inputs);
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * units, (row + 1) * units);
    const to = row * inputs;
    if (row > 0 && own.every((logit, i) => Object.is(logit, logits[(row - 1) * units + i]))) {
      all.copyWithin(to, to - inputs, to);
      continue;
    }
    // The same inputs for Float32 and Float64 arrays of equal logits.
    const seed = digest(Float64Array.from(own));
    const draw = inputOf(randomStream(seed, INPUTS));
    for (let i = 0; i < inputs; i++) all[to + i] = draw();
  }
  return all;
}

/** A neuron that reads the input of its layer, with inputs that are drawn; its kernels are left out. Others stay as they are. */
export function withDrawnInputs(neuron: Neuron): Neuron {
  if (!neuron.readsInput) return neuron;
  const given =
    <F extends Pick<Firing, 'rows' | 'units' | 'logits'>>(f: (firing: F) => void) =>
    (firing: F): void => {
      const input = drawInputs(firing);
      const before = input.length <= WATCHED ? input.slice() : input;
      f({ ...firing, input });
      if (!before.every((value, i) => Object.is(value, input[i])))
        throw new RangeError('it changes the input of its layer, which is not its own');
    };
  const { weigh, sample, settle, update, state, readsInput: _, twin: __, ...others } = neuron;
  return {
    ...others,
    fire: given(neuron.fire),
    pullback: given(neuron.pullback),
    ...(weigh && { weigh: given(weigh.bind(neuron)) }),
    ...(sample && { sample: given(sample.bind(neuron)) }),
    ...(settle && { settle: given(settle.bind(neuron)) }),
    ...(update && { update: given(update.bind(neuron)) }),
    ...(state && { state: Object.fromEntries(Object.entries(state).map(([name, spec]) => [name, sized(spec)])) }),
  };
}

/** For the inputs that are drawn. */
const sized = (spec: StateSpec): StateSpec =>
  typeof spec === 'number'
    ? spec
    : {
        size: (units) => spec.size(units, inputsOf(units)),
        start: (index, units) => spec.start(index, units, inputsOf(units)),
      };
