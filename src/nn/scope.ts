import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron, NeuronDefinition } from '../neurons/contract.ts';
import { type NeuronSpec, neuronText, resolveNeuron } from '../neurons/resolve.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { shapeText } from '../tensor/define-op.ts';
import type { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { told } from '../tensor/told.ts';
import { FiringSite } from './firing-site.ts';
import type { LayerSpec } from './layer-kinds.ts';
import { makeParameter, type ParameterOptions } from './make-parameter.ts';
import type { Module } from './module.ts';
import type { NormLimit, Parameter } from './parameter.ts';
import type { Mode, Pass } from './pass.ts';
import { placed } from './placed-error.ts';

/** A place where neurons fire. */
export interface SiteOptions {
  /** Default: the module's name. */
  readonly name?: string;
  /** Target share of open units; default: none. */
  readonly rate?: number;
  /** Number of the random stream; default: the next of the model's. */
  readonly stream?: number;
  /** What the logits are computed from, of as many rows, for neurons that read it (learned baselines); default: the logits. */
  readonly input?: Tensor;
}

const SITE_NAMES: NamesOf<SiteOptions> = { name: true, rate: true, stream: true, input: true };

/** A module as what applies it. */
export interface ResolvedModule {
  /** Is its code the user's? */
  readonly own?: true;
  readonly kind: string;
  readonly name?: string;
  readonly maxNorm?: NormLimit;
  readonly apply: Module['apply'];
}

/** State that a model keeps for its modules: created in the first pass, reused in all others. */
export interface Registry {
  readonly engine: Engine;
  readonly seed: number;
  /** Neurons of one's own that are known by name. */
  readonly neurons: readonly NeuronDefinition[];
  /** Is this the first pass, in which everything is made? */
  readonly building: boolean;
  readonly parameters: Map<string, Parameter>;
  readonly sites: Map<string, FiringSite>;
  /** What modules keep from step to step, by name: arrays that training changes are part of snapshots. */
  readonly memory: Map<string, Float64Array>;
  readonly kept: Map<string, unknown>;
  readonly afterStep: (() => void)[];
  /** An unused number for a random stream. @throws RangeError when all are used */
  nextStream(): number;
  resolve(module: Module | LayerSpec): ResolvedModule;
}

/** What fires at a site, as it was asked for in the first pass. */
interface Fired {
  readonly spec: NeuronSpec;
  readonly resolved: Neuron;
}

/** How often a module has been applied in a pass, and the stream of every time. */
interface Uses {
  tape: Tape;
  count: number;
  readonly streams: number[];
}

/** What a module has of its model in a pass. */
export class Scope {
  /** From the model down: `residual2.dense0`. */
  readonly name: string;
  readonly pass: Pass;
  /** First of the numbers that the module's random streams have. */
  readonly stream: number;
  private readonly registry: Registry;
  private readonly maxNorm: NormLimit | undefined;
  private readonly used = new Map<string, number>();

  constructor(registry: Registry, pass: Pass, name: string, stream: number, maxNorm?: NormLimit) {
    this.registry = registry;
    this.pass = pass;
    this.name = name;
    this.stream = stream;
    this.maxNorm = maxNorm;
  }

  get engine(): Engine {
    return this.registry.engine;
  }

  get mode(): Mode {
    return this.pass.mode;
  }

  /** Is this the pass in which the model is built, on a row of zeros? */
  get building(): boolean {
    return this.registry.building;
  }

  /**
   * A trainable array that all rows share, the same in every pass. Asked for twice by one name, it is shared.
   * @throws RangeError for a name that the first pass did not ask for, or another shape than there
   */
  parameter(name: string, shape: readonly number[], options: ParameterOptions = {}): Tensor {
    const full = this.under(name);
    const parameter = this.registry.parameters.get(full) ?? this.makeParameter(full, shape, options);
    const { tensor } = parameter;
    if (tensor.shape.length !== shape.length || tensor.shape.some((extent, i) => extent !== shape[i]))
      throw new RangeError(
        `The parameter "${full}" has the shape ${shapeText(tensor.shape)}, and ${shapeText(shape)} was asked for. Expected the same shape in every pass.`,
      );
    return this.pass.tape.parameter(tensor);
  }

  /** The array of a parameter that has been made, to change its values outside of training steps. */
  arrayOf(name: string): NdArray {
    const found = this.registry.parameters.get(this.under(name));
    if (!found) throw new RangeError(`The module has no parameter "${this.under(name)}".`);
    return found.tensor;
  }

  /** A neuron by its name or spec, of the user's own too. @throws as `resolveNeuron` */
  neuron(spec: NeuronSpec, rate?: number): Neuron {
    return resolveNeuron(spec, rate, this.registry.neurons);
  }

  /** Fires a neuron: logits of shape [..., units] → h. @throws RangeError when it cannot stand there */
  fire(neuron: NeuronSpec, logits: Tensor, options: SiteOptions = {}): Tensor {
    const name = options.name ?? this.unused('');
    const { rate } = options;
    if (this.building) this.checkSite(options);
    const fired = this.keep<Fired>(`neuron ${name}`, () => ({ spec: neuron, resolved: this.neuron(neuron, rate) }));
    if (neuron !== fired.spec && neuronText(neuron) !== neuronText(fired.spec))
      throw new RangeError(
        `"${this.under(name)}" fires "${neuronText(neuron)}", and fired "${neuronText(fired.spec)}" when the model was built. Expected the same neuron in every pass.`,
      );
    const { resolved } = fired;
    if (resolved.identity) return logits;
    const rows = logits.columns / (logits.shape.at(-1) || 1);
    return this.site(resolved, logits.columns, { ...options, name, rows }).fire(this.pass, logits, options.input);
  }

  private checkSite(options: SiteOptions): void {
    checkNames('`fire`', options, SITE_NAMES, this.name);
    const { rate } = options;
    if (rate !== undefined && !(typeof rate === 'number' && rate > 0 && rate < 1))
      throw new RangeError(
        `\`fire\` of "${this.name}": the rate is ${told(rate)}. Expected a number between 0 and 1 (both excluded).`,
      );
  }

  /**
   * A place where units fire, with its state, threshold and statistics. `rows` is the number of rows of units in one row of the logits (the
   * product of its leading extents), each of which reads an equal part of `input`; default 1.
   */
  site(
    neuron: Neuron,
    units: number,
    { name = '', rate, stream, input, rows = 1 }: SiteOptions & { rows?: number } = {},
  ): FiringSite {
    const { registry } = this;
    const full = this.under(name);
    const found = registry.sites.get(full);
    if (found) return found;
    this.checkBuilding('the firing site', full);
    const facts = { name: full, units, layer: stream ?? registry.nextStream(), ...(rate !== undefined && { rate }) };
    const inputs = input && { inputs: input.columns / rows };
    const site = new FiringSite(registry.engine, neuron, { ...facts, ...inputs, more: () => registry.nextStream() });
    registry.sites.set(full, site);
    return site;
  }

  /** What the module keeps in the model: made in the first pass, the same value in all others. */
  keep<T>(name: string, make: () => T): T {
    const full = `${this.name} ${name}`;
    const { kept } = this.registry;
    if (!kept.has(full)) {
      this.checkBuilding('something kept', full);
      kept.set(full, make());
    }
    return kept.get(full) as T;
  }

  /**
   * Number of the random stream of this use of the module: the second time that it is applied in a pass draws other numbers than the first. To be
   * asked for once in every pass, the first one too.
   */
  streamOfUse(): number {
    const { tape } = this.pass;
    const uses = this.keep<Uses>('uses', () => ({ tape, count: 0, streams: [this.stream] }));
    if (uses.tape !== tape) Object.assign(uses, { tape, count: 0 });
    while (uses.streams.length <= uses.count) uses.streams.push(this.registry.nextStream());
    return uses.streams[uses.count++];
  }

  /** Numbers that training changes, which snapshots and checkpoints hold. Only in the first pass. */
  remember(name: string, values: Float64Array): void {
    if (this.building) this.registry.memory.set(this.under(name), values);
  }

  /** Registers what is to be done after every training step. Only in the first pass. */
  afterStep(act: () => void): void {
    if (this.building) this.registry.afterStep.push(act);
  }

  /**
   * Applies a module within this one.
   * @param name its name here; default: its own and its number among those of the kind. Two calls by one name share their parameters
   */
  call(given: Module | LayerSpec, inputs: Tensor | readonly Tensor[], name?: string): Tensor {
    const resolved = this.registry.resolve(given);
    const full = this.under(name ?? resolved.name ?? this.unused(resolved.kind));
    const stream = this.keep(`stream of ${full}`, () => this.registry.nextStream());
    return this.within(full, stream, resolved, Array.isArray(inputs) ? inputs : [inputs]);
  }

  /** A module within by its full name, with streams from a number on. Errors name it. */
  within(full: string, stream: number, module: ResolvedModule, inputs: readonly Tensor[]): Tensor {
    const { tape } = this.pass;
    const { maxNorm = this.maxNorm } = module;
    // Later passes are of the modules of the first.
    if (this.building && full.split('.', DEEPEST + 1).length > DEEPEST)
      throw new RangeError(
        `"${full.slice(0, 40)}…" stands in more than ${DEEPEST - 1} modules. Expected fewer; a module that holds itself has no end.`,
      );
    const before = tape.layer;
    tape.layer = full;
    try {
      const result = module.apply(new Scope(this.registry, this.pass, full, stream, maxNorm), ...inputs);
      tape.checkResult(`The module "${full}"`, result);
      return result;
    } catch (error) {
      throw placed(error, full, module.own === true);
    } finally {
      tape.layer = before;
    }
  }

  /** A name within this module. */
  under(name: string): string {
    return this.name === '' ? name : name === '' ? this.name : `${this.name}.${name}`;
  }

  /** A name with its number among those like it in this pass: `dense0`, `dense1`; for the empty name the first has none. */
  private unused(kind: string): string {
    const number = this.used.get(kind) ?? 0;
    this.used.set(kind, number + 1);
    return kind === '' && number === 0 ? '' : `${kind}${number}`;
  }

  private makeParameter(full: string, shape: readonly number[], options: ParameterOptions): Parameter {
    this.checkBuilding('the parameter', full);
    const parameter = makeParameter(this.registry, full, shape, options, this.maxNorm);
    this.registry.parameters.set(full, parameter);
    return parameter;
  }

  private checkBuilding(what: string, full: string): void {
    if (this.building) return;
    const known = [...this.registry.parameters.keys(), ...this.registry.sites.keys()];
    throw new RangeError(
      `A module asks for ${what} "${full}", which it did not ask for when the model was built. Expected the same in every pass; made then: ${known.join(', ') || 'nothing'}.`,
    );
  }
}

/** Modules within modules: far fewer than the stack holds. */
const DEEPEST = 100;
