import type { NdArray } from '../backend/nd-array.ts';
import { joinColumns } from '../tensor/ops/join-columns.ts';
import { lstm as lstmOf } from '../tensor/ops/sequences.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Affine } from './affine.ts';
import type { LstmBlueprint } from './blueprint.ts';
import { checkUnits } from './check.ts';
import { glorotUniform } from './initialize.ts';
import { type Layer, type LayerContext, type Parameter, type Pass, toDense } from './layer.ts';

/**
 * A layer of long short-term memory: rows are points in time, and every sequence starts from nothing. Equations:
 * kernels/lstm.ts. Source: Hochreiter and Schmidhuber 1997; forget gates: Gers, Schmidhuber and Cummins 2000.
 */
export interface LstmSpec {
  readonly layer: 'lstm';
  /** Units of one direction. */
  readonly units: number;
  /**
   * Is every sequence read forwards by one LSTM and backwards by another? The output is then 2·units wide. Source: Graves and
   * Schmidhuber 2005. Default: forwards only.
   */
  readonly bidirectional?: boolean;
  readonly name?: string;
}

/** Shorthand for an `LstmSpec`. */
export function lstm(units: number, options: Omit<LstmSpec, 'layer' | 'units'> = {}): LstmSpec {
  return { layer: 'lstm', units, ...options };
}

/** Forget gates start open, so that gradients reach far from the first step on (Gers, Schmidhuber and Cummins 2000). */
const FORGET_BIAS = 1;

/** One direction of reading: its weights, and what it makes of a minibatch. */
class Direction {
  readonly parameters: readonly Parameter[];
  readonly blueprint: LstmBlueprint['directions'][number];
  private readonly affine: Affine;
  private readonly recurrent: NdArray;
  private readonly backwards: boolean;

  constructor({ engine, inputs, seed, index, ...context }: LayerContext, units: number, backwards: boolean) {
    const name = backwards ? `${context.name}.backwards` : context.name;
    const stream = index * 8 + (backwards ? 2 : 0);
    this.backwards = backwards;
    this.affine = new Affine(
      { engine, inputs, seed, index, name },
      {
        name,
        inputs,
        units: 4 * units,
        group: 'main',
        axes: ['inputs', 'hidden'],
        stream,
        initialize: (weights) => glorotUniform(weights, seed, stream, 1, [inputs, units]),
      },
    );
    this.affine.bias.values.fill(FORGET_BIAS, units, 2 * units);
    this.recurrent = engine.parameter([units, 4 * units], `${name}.recurrent`);
    glorotUniform(this.recurrent, seed, stream + 1, 1, [units, units]);
    const facts = { group: 'main', kind: 'weights', axes: ['hidden', 'hidden'], learningRateScale: 1 } as const;
    const recurrent = { name: `${name}.recurrent`, tensor: this.recurrent, ...facts };
    this.parameters = [...this.affine.parameters, recurrent];
    this.blueprint = { backwards, affine: this.affine.blueprint(), recurrent };
  }

  /** Multiply-adds for one point in time. */
  get multiplyAdds(): number {
    return this.affine.multiplyAdds + this.recurrent.size;
  }

  /** rows×inputs → rows×units */
  read(pass: Pass, x: Tensor): Tensor {
    const { backwards } = this;
    return lstmOf(this.affine.apply(pass, x), pass.tape.parameter(this.recurrent), { backwards });
  }
}

/** @throws RangeError for units that are not a whole number ≥ 1 */
export function buildLstm({ units, bidirectional = false }: LstmSpec, context: LayerContext): Layer {
  checkUnits(context.name, units);
  const { name, inputs } = context;
  const directions = [false, ...(bidirectional ? [true] : [])].map((back) => new Direction(context, units, back));
  return {
    name,
    inputs,
    outputs: directions.length * units,
    parameters: directions.flatMap(({ parameters }) => parameters),
    sites: [],
    blueprint: { kind: 'lstm', directions: directions.map(({ blueprint }) => blueprint) },
    cost: { dense: directions.reduce((total, { multiplyAdds }) => total + multiplyAdds, 0), gater: 0 },
    apply(pass, x): Tensor {
      const dense = toDense(pass, x);
      const [forwards, ...others] = directions.map((direction) => direction.read(pass, dense));
      return others.reduce((a, b) => joinColumns(a, b), forwards);
    },
  };
}
