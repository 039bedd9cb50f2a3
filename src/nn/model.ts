import type { Engine } from '../backend/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkUnits } from './check.ts';
import { buildDense, type DenseSpec } from './dense.ts';
import type { FiringSite } from './firing-site.ts';
import { buildGated, type GatedSpec } from './gated.ts';
import {
  type Activation,
  type Layer,
  type LayerContext,
  type LayerCost,
  type Parameter,
  type Pass,
  toDense,
} from './layer.ts';
import { buildLstm, type LstmSpec } from './lstm.ts';

/** Every kind of layer: its spec and how it is built. Adding one: a file beside this one, and one line here. */
const builders = { dense: buildDense, gated: buildGated, lstm: buildLstm };

export type LayerSpec = DenseSpec | GatedSpec | LstmSpec;

export interface ModelSpec {
  /** Width of an input row. */
  readonly inputs: number;
  readonly layers: readonly LayerSpec[];
  /** Seed of the initial weights and of all draws; default 1. */
  readonly seed?: number;
}

/** A feed-forward network on an engine. */
export class Model {
  readonly engine: Engine;
  readonly spec: ModelSpec;
  readonly seed: number;
  readonly layers: readonly Layer[];

  /** See `createModel`. */
  constructor(engine: Engine, spec: ModelSpec) {
    checkUnits('The model', spec.inputs, 'inputs');
    if (spec.layers.length === 0) throw new RangeError('The model has no layers; give at least one.');
    this.engine = engine;
    this.spec = spec;
    this.seed = spec.seed ?? 1;
    let inputs = spec.inputs;
    this.layers = spec.layers.map((layer, index) => {
      const name = layer.name ?? `${layer.layer}${index}`;
      const built = build(layer, { engine, name, inputs, index, seed: this.seed });
      inputs = built.outputs;
      return built;
    });
    const names = this.memory.map(([name]) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice) throw new RangeError(`Two parameters are called "${twice}"; give the layers different names.`);
  }

  /** Everything that training changes, by name: live arrays, valid until the heap grows. */
  private get memory(): readonly (readonly [string, Float32Array | Float64Array])[] {
    return [
      ...this.parameters.map(({ name, tensor }) => [name, tensor.values] as const),
      ...this.sites.flatMap(({ name, memory }) => memory.map(([part, values]) => [`${name}.${part}`, values] as const)),
      ...this.layers.flatMap(({ name, memory = {} }) =>
        Object.entries(memory).map(([part, values]) => [`${name}.${part}`, values] as const),
      ),
    ];
  }

  get inputs(): number {
    return this.spec.inputs;
  }

  get outputs(): number {
    return (this.layers.at(-1) as Layer).outputs;
  }

  get parameters(): readonly Parameter[] {
    return this.layers.flatMap(({ parameters }) => parameters);
  }

  get sites(): readonly FiringSite[] {
    return this.layers.flatMap(({ sites }) => sites);
  }

  /** Sites with gates or noise, where the modes differ. */
  get stochasticSites(): readonly FiringSite[] {
    return this.sites.filter(({ stochastic }) => stochastic);
  }

  /** Multiply-adds for one example: of the same experts without gates, and of the gaters. */
  get cost(): LayerCost {
    return {
      dense: this.layers.reduce((sum, { cost }) => sum + cost.dense, 0),
      gater: this.layers.reduce((sum, { cost }) => sum + cost.gater, 0),
    };
  }

  /**
   * rows×inputs → rows×outputs (logits of the classes)
   * @param layers some of this model's, one after another; default all
   */
  apply(pass: Pass, x: Tensor, layers = this.layers): Tensor {
    const output = layers.reduce((h: Activation, layer) => {
      pass.tape.layer = layer.name;
      return layer.apply(pass, h);
    }, x);
    return toDense(pass, output);
  }

  /**
   * A copy of one parameter's values, row-major (weights: inputs × units).
   * @throws RangeError for an unknown name; the message lists the known ones
   */
  weights(name: string): Float32Array {
    const { tensor, blocks } = this.parameter(name);
    return blocks ? unitsInColumns(tensor.values, blocks) : tensor.toArray();
  }

  /**
   * Replaces one parameter's values, given row-major as `weights` gives them.
   * @throws RangeError for an unknown name or another count of values
   */
  setWeights(name: string, values: ArrayLike<number>): void {
    const { tensor, blocks } = this.parameter(name);
    if (values.length !== tensor.size)
      throw new RangeError(`The parameter "${name}" has ${tensor.size} values; ${values.length} were given.`);
    tensor.values.set(blocks ? unitsInBlocks(values, blocks) : values);
  }

  private parameter(name: string): Parameter {
    const parameter = this.parameters.find((candidate) => candidate.name === name);
    if (parameter) return parameter;
    const known = this.parameters.map((candidate) => candidate.name).join(', ');
    throw new RangeError(`The model has no parameter "${name}". Known: ${known}.`);
  }

  /**
   * A copy of everything that training changes, by name: parameters as they lie in memory, moving averages, thresholds,
   * selection biases, adaptive penalty weights, and the counts behind the gates' health.
   */
  snapshot(): Snapshot {
    return new Map(this.memory.map(([name, values]) => [name, values.slice()]));
  }

  /**
   * Puts a snapshot of this model, or of one with the same layers, back.
   * @throws RangeError when an array is missing, of another length, or not one of this model's
   */
  restore(snapshot: Snapshot): void {
    const { memory } = this;
    for (const [name, values] of memory) {
      const given = snapshot.get(name);
      if (given?.length !== values.length)
        throw new RangeError(
          `The snapshot has ${given ? `${given.length} values` : 'no array'} for "${name}"; this model has ${values.length}.`,
        );
    }
    const known = new Set(memory.map(([name]) => name));
    const foreign = [...snapshot.keys()].find((name) => !known.has(name));
    if (foreign !== undefined) throw new RangeError(`The snapshot holds "${foreign}", which this model does not have.`);
    for (const [name, values] of memory) values.set(snapshot.get(name) ?? []);
  }
}

/** See `Model.snapshot`. */
export type Snapshot = ReadonlyMap<string, Float32Array | Float64Array>;

type BlockLayout = NonNullable<Parameter['blocks']>;

/** Visits every weight of a block-wise array with its place there and its place in inputs × units. */
function eachWeight({ count, inputs, size }: BlockLayout, visit: (inBlocks: number, inColumns: number) => void): void {
  for (let k = 0, at = 0; k < count; k++)
    for (let i = 0; i < inputs; i++) for (let j = 0; j < size; j++) visit(at++, (i * count + k) * size + j);
}

/** Weights stored block by block as a copy in inputs × units. */
function unitsInColumns(values: ArrayLike<number>, layout: BlockLayout): Float32Array {
  const out = new Float32Array(values.length);
  eachWeight(layout, (inBlocks, inColumns) => {
    out[inColumns] = values[inBlocks];
  });
  return out;
}

/** Weights in inputs × units as a copy stored block by block. */
function unitsInBlocks(values: ArrayLike<number>, layout: BlockLayout): Float32Array {
  const out = new Float32Array(values.length);
  eachWeight(layout, (inBlocks, inColumns) => {
    out[inBlocks] = values[inColumns];
  });
  return out;
}

/**
 * Builds a network and its initial weights.
 * @throws RangeError that names the layer and the argument when a spec does not fit
 */
export function createModel(engine: Engine, spec: ModelSpec): Model {
  return new Model(engine, spec);
}

function build(spec: LayerSpec, context: LayerContext): Layer {
  const builder = builders[spec.layer] as ((spec: LayerSpec, context: LayerContext) => Layer) | undefined;
  if (!builder || !Object.hasOwn(builders, spec.layer))
    throw new RangeError(`There is no layer "${spec.layer}". Known: ${Object.keys(builders).join(', ')}.`);
  return builder(spec, context);
}
