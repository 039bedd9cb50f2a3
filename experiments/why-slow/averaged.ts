import { type Neuron, type NeuronSpec, resolveNeuron } from '../../src/index.ts';

/** What a neuron's functions are given, of one pass among several. */
type Firing = Parameters<Neuron['fire']>[0];
type Weighing = Parameters<NonNullable<Neuron['weigh']>>[0];

/**
 * A neuron whose gradient is the mean over several passes with their own noise: the units below are computed once, and everything above
 * runs on every pass. Sampled, and with the noise off, it is the neuron itself.
 * @param passes a whole number from 1 up
 * @throws RangeError for another number, or a neuron with a state, which would have to say what it learns from which pass
 */
export function averaged(spec: NeuronSpec, passes: number): Neuron {
  const { twin, cells: _cells, rowCells: _rowCells, ...base } = resolveNeuron(spec);
  if (!Number.isInteger(passes) || passes < 1)
    throw new RangeError(`The passes to average are ${passes}. Expected a whole number from 1 up.`);
  if (base.state) throw new RangeError(`"${base.name}" has a state. Expected a neuron without one.`);
  const drawsOf = (units: number): number => (typeof base.draws === 'function' ? base.draws(units) : (base.draws ?? 1));
  /** The noise numbers of one pass. */
  const noiseOf = ({ noise, logits }: Firing, pass: number): Float64Array => {
    const { noise: count } = base;
    return Float64Array.from({ length: logits.length * count }, (_, at) => {
      const unit = Math.floor(at / count);
      return noise[(unit * passes + pass) * count + (at % count)];
    });
  };
  const partOf = (values: Float32Array | Float64Array, pass: number) =>
    values.subarray((pass * values.length) / passes, ((pass + 1) * values.length) / passes);
  const each = <F extends Firing>(
    firing: F,
    act: (part: F, pass: number) => void,
    split: readonly (keyof F)[],
  ): void => {
    for (let pass = 0; pass < passes; pass++) {
      const parts = split.map((field) => [field, partOf(firing[field] as Float64Array, pass)]);
      act({ ...firing, noise: noiseOf(firing, pass), ...Object.fromEntries(parts) }, pass);
    }
  };
  return {
    ...base,
    name: `${base.name} × ${passes}`,
    summary: `${base.summary}, the mean of ${passes} passes`,
    noise: base.noise * passes,
    draws: (units) => passes * drawsOf(units),
    ...(twin?.expect !== undefined && { twin: { expect: twin.expect } }),
    fire: (firing) => each(firing, (part) => base.fire(part), ['h']),
    pullback(pullback) {
      const { gradient } = pullback;
      const own = new Float64Array(gradient.length);
      gradient.fill(0);
      each(
        pullback,
        (part) => {
          base.pullback({ ...part, gradient: own });
          for (let i = 0; i < own.length; i++) gradient[i] += own[i] / passes;
        },
        pullback.dh.length > 0 ? ['h', 'loss', 'dh'] : ['h', 'loss'],
      );
    },
    weigh: (weighing) => weighMean(base, weighing, passes, (act) => each(weighing, act, ['h', 'loss', 'weights'])),
    sample: (firing) => (base.sample ?? base.fire)({ ...firing, noise: noiseOf(firing, 0) }),
  };
}

/** Weighs the draws of all passes, and the mean of what they come to. @param each calls for the part of every pass */
function weighMean(
  { weigh }: Pick<Neuron, 'weigh'>,
  { rows, total, weights }: Weighing,
  passes: number,
  each: (act: (part: Weighing) => void) => void,
): void {
  const own = new Float64Array(rows);
  total.fill(0);
  each((part) => {
    const draws = part.loss.length / rows;
    own.fill(0);
    if (weigh) weigh({ ...part, total: own });
    else {
      part.weights.fill(1 / draws);
      for (let i = 0; i < part.loss.length; i++) own[i % rows] += part.loss[i] / draws;
    }
    for (let row = 0; row < rows; row++) total[row] += own[row] / passes;
  });
  for (let i = 0; i < weights.length; i++) weights[i] /= passes;
}
