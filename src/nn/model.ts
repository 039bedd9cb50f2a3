import { checkEngine, type Engine } from '../backend/engine.ts';
import { shorten } from '../math/text.ts';
import type { NeuronDefinition } from '../neurons/contract.ts';
import { noiseKey, USUAL_SEED } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import type { OpRecord } from '../tensor/define-op.ts';
import { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { unitsInBlocks, unitsInColumns } from './block-weights.ts';
import { checkUnits } from './check.ts';
import type { FiringSite } from './firing-site.ts';
import type { LayerSpec } from './layer-kinds.ts';
import { isModule, type Module } from './module.ts';
import type { Parameter } from './parameter.ts';
import type { Mode, Pass } from './pass.ts';
import { NESTED, registryOf, STREAMS } from './registry.ts';
import { described, layerName } from './resolve-module.ts';
import { type Registry, Scope } from './scope.ts';

/** Input width, modules, seed and own neurons of a model: the argument of `createModel`. */
export interface ModelSpec {
  /** Width of an input row. */
  readonly inputs: number;
  /** Modules one after another. */
  readonly layers: readonly (Module | LayerSpec)[];
  /** Seed of the initial weights and of all draws; default 1. */
  readonly seed?: number;
  /** Neurons of one's own that layers and modules may ask for by name. */
  readonly neurons?: readonly NeuronDefinition[];
}

const NAMES: NamesOf<ModelSpec> = { inputs: true, layers: true, seed: true, neurons: true };

export type { LayerSpec };

/** The same as plain JSON, as run records and model files hold it: of modules of one's own it has the names alone. */
export interface ModelDescription extends Omit<ModelSpec, 'neurons'> {
  readonly layers: readonly LayerSpec[];
}

/** Multiply-adds for one example. */
export interface ModelCost {
  /** Without gates: every block computed, no gater. */
  readonly dense: number;
  /** Of the gaters alone. */
  readonly gater: number;
}

/** One of the modules that a model has one after another. */
export interface ModelLayer {
  readonly name: string;
  /** Numbers in a row of its input and of its output. */
  readonly inputs: number;
  readonly outputs: number;
  readonly parameters: readonly Parameter[];
  /** Where neurons fire in it. */
  readonly sites: readonly FiringSite[];
}

/** See `Model.trace`. */
export interface Trace {
  readonly input: Tensor;
  readonly output: Tensor;
  readonly records: readonly OpRecord[];
}

/** A network on an engine: modules one after another, with all that they keep. */
export class Model {
  readonly engine: Engine;
  readonly spec: ModelSpec;
  readonly seed: number;
  readonly layers: readonly ModelLayer[];
  readonly inputs: number;
  /** Numbers in a row of the output. */
  readonly outputs: number;
  /** Multiply-adds for one example (of sequences: for one point). */
  readonly cost: ModelCost;
  private readonly registry: Registry & { building: boolean };

  /** Neurons of one's own that are known by name in it. */
  get neurons(): readonly NeuronDefinition[] {
    return this.spec.neurons ?? [];
  }

  /** See `createModel`. */
  constructor(engine: Engine, spec: ModelSpec) {
    checkNames('createModel', spec, NAMES);
    checkUnits('The model', spec.inputs, 'inputs');
    if (!Array.isArray(spec.layers) || spec.layers.some((layer) => typeof layer !== 'object' || layer === null))
      throw new RangeError(
        `The model's layers are ${shorten(spec.layers)}. Expected a list, such as [dense(10, 'tanh'), dense(2)].`,
      );
    if (spec.layers.length === 0) throw new RangeError('The model has no layers; give at least one.');
    if (spec.layers.length * STREAMS > NESTED)
      throw new RangeError(
        `The model has ${spec.layers.length} layers. Expected at most ${NESTED / STREAMS}: each has random streams of its own.`,
      );
    this.engine = engine;
    this.spec = spec;
    this.seed = spec.seed ?? USUAL_SEED;
    this.inputs = spec.inputs;
    this.registry = registryOf(engine, this.seed, spec.neurons ?? []);
    const { layers, outputs, cost } = this.build();
    this.layers = layers;
    this.outputs = outputs;
    this.cost = cost;
    this.registry.building = false;
  }

  /** A first pass on a row of zeros, in which modules make what they keep. */
  private build(): { layers: ModelLayer[]; outputs: number; cost: ModelCost } {
    const { registry } = this;
    const names = this.spec.layers.map((layer, i) => layerName(this.registry.resolve(layer), i));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice) throw new RangeError(`Two layers are called "${twice}". Expected different names.`);
    const made: ModelLayer[] = [];
    let at = { parameters: 0, sites: 0, width: this.inputs };
    const { pass, input } = this.oneRow('mean-field');
    const output = this.run(pass, input, (name, { columns }) => {
      const [parameters, sites] = [[...registry.parameters.values()], [...registry.sites.values()]];
      const own = { parameters: parameters.slice(at.parameters), sites: sites.slice(at.sites) };
      made.push({ name, inputs: at.width, outputs: columns, ...own });
      at = { parameters: parameters.length, sites: sites.length, width: columns };
    });
    const { executed, gater } = pass.tape.work;
    return { layers: made, outputs: output.columns, cost: { dense: executed - gater, gater } };
  }

  /** A pass on a row of zeros in which every block is computed. */
  private oneRow(mode: Mode): { readonly pass: Pass; readonly input: Tensor } {
    const { engine } = this;
    const tape = new Tape(engine);
    const source = { key: noiseKey(this.seed), step: 0, draw: 0 };
    // A point of a sequence is a row like any other, and what reads sequences finds one.
    const zeros = engine.allocate([1, this.inputs], 'a row of zeros');
    zeros.values.fill(0);
    const input = tape.input(zeros, tape.plates.points(Int32Array.of(0, 1)));
    return { pass: { tape, mode, everyBlock: true, source, penalties: [] }, input };
  }

  /**
   * The operations of a pass on one row, in order, every block computed: what exports read. Valid until the engine's next step; it starts
   * one itself.
   */
  trace(mode: Exclude<Mode, 'train'>): Trace {
    this.engine.beginStep();
    const { pass, input } = this.oneRow(mode);
    const output = this.run(pass, input);
    return { input, output, records: pass.tape.trace };
  }

  private run(pass: Pass, x: Tensor, after?: (name: string, h: Tensor) => void): Tensor {
    const { registry } = this;
    const root = new Scope(registry, pass, '', 0);
    let h = x;
    this.spec.layers.forEach((layer, i) => {
      const module = registry.resolve(layer);
      const name = layerName(module, i);
      h = root.within(name, i * STREAMS, module, [h]);
      after?.(name, h);
    });
    return h.dense;
  }

  /** Everything that training changes, by name: live arrays, valid until the heap grows. */
  private get memory(): readonly (readonly [string, Float32Array | Float64Array])[] {
    return [
      ...this.parameters.map(({ name, tensor }) => [name, tensor.values] as const),
      ...this.sites.flatMap(({ name, memory }) => memory.map(([part, values]) => [`${name}.${part}`, values] as const)),
      ...this.registry.memory,
    ];
  }

  get parameters(): readonly Parameter[] {
    return [...this.registry.parameters.values()];
  }

  get sites(): readonly FiringSite[] {
    return [...this.registry.sites.values()];
  }

  /** Sites with gates or noise, where the modes differ. */
  get stochasticSites(): readonly FiringSite[] {
    return this.sites.filter(({ stochastic }) => stochastic);
  }

  /** Shape [inputs] → [outputs], e.g. the logits of classes. */
  apply(pass: Pass, x: Tensor): Tensor {
    return this.run(pass, x);
  }

  /** As plain JSON: neurons by name and options, every layer with its name. A module of one's own is `{ layer: 'own' }` there. */
  get description(): ModelDescription {
    const layers = this.spec.layers.map((layer, i) => ({ ...described(layer), name: this.layers[i].name }));
    return { inputs: this.inputs, layers, seed: this.seed };
  }

  /** After a training step: counts which units fired, and lets penalties, biases and the like follow. */
  afterStep(): void {
    for (const act of this.registry.afterStep) act();
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

/**
 * Builds a network and its initial weights: from modules one after another, or from one module.
 * @throws RangeError that names the layer and the argument when a spec does not fit
 */
export function createModel(engine: Engine, spec: ModelSpec): Model;
export function createModel(engine: Engine, module: Module | LayerSpec, options: Omit<ModelSpec, 'layers'>): Model;
export function createModel(
  engine: Engine,
  given: ModelSpec | Module | LayerSpec,
  options?: Omit<ModelSpec, 'layers'>,
): Model {
  checkEngine('createModel', engine);
  if (typeof given !== 'object' || given === null) checkNames('createModel', given, NAMES);
  if (!isModule(given) && !('layer' in given)) return new Model(engine, given);
  if (!options) throw new RangeError('createModel: a module was given alone. Expected `{ inputs }` after it.');
  return new Model(engine, { ...options, layers: [given] });
}
