import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { sum } from '../math/statistics.ts';
import type { Neuron, Numbers } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { allocateState, drawNoise, type FiringMode } from '../tensor/fire.ts';
import { fireTensor, rowsOfNoise } from '../tensor/ops/fire.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DrawKey } from '../tensor/uniforms.ts';
import { holdInputs, holdOutputs } from './hold.ts';
import type { Pass } from './pass.ts';

/** How the units of one site fired since `resetHealth`. */
export interface SiteHealth {
  readonly site: string;
  /** Share of all (example, unit) pairs that fired (h ≠ 0). */
  readonly rate: number;
  /** Units that fired for under 0.1% of the examples. */
  readonly dead: number;
  /** Units that fired for over 99.9% of the examples. */
  readonly alwaysOn: number;
  readonly units: number;
  /** How the units' own shares of examples are spread. */
  readonly spread: RateSpread;
}

/** Of the rates of the units of a site, each in [0, 1]. */
export interface RateSpread {
  readonly least: number;
  readonly most: number;
  readonly variance: number;
  /** Units in every twentieth of [0, 1]: the first counts rates under 0.05, the last those from 0.95 to 1. */
  readonly histogram: readonly number[];
}

const HISTOGRAM_BINS = 20;

function spreadOf(shares: Float64Array, mean: number): RateSpread {
  const histogram = new Array<number>(HISTOGRAM_BINS).fill(0);
  for (const share of shares) histogram[Math.min(HISTOGRAM_BINS - 1, Math.floor(share * HISTOGRAM_BINS))]++;
  return {
    least: shares.reduce((least, share) => Math.min(least, share), 1),
    most: shares.reduce((most, share) => Math.max(most, share), 0),
    variance: shares.reduce((total, share) => total + (share - mean) ** 2, 0) / shares.length,
    histogram,
  };
}

/** The logits and outputs of one firing. */
interface Firings {
  readonly logits: Tensor;
  readonly h: Tensor;
}

export interface FiringSiteOptions {
  readonly name: string;
  readonly units: number;
  /** Inputs of the layer, for neurons that read them; default: the logits stand for them. */
  readonly inputs?: number;
  /** Target share of open units; default: none. */
  readonly rate?: number;
  /** Number of the site's random stream, below 65,536. */
  readonly layer: number;
  /** Further stream numbers, for sites that fire several times in a pass. */
  readonly more?: () => number;
}

/** A place in a network where a layer of neurons fires: the neuron, its state, its threshold and its statistics. */
export class FiringSite {
  readonly name: string;
  readonly neuron: Neuron;
  readonly units: number;
  /** Inputs of the layer; as many as units where the logits stand for them. */
  readonly inputs: number;
  /** Target share of open units; undefined where none is wanted. */
  readonly rate: number | undefined;
  readonly state: NdArray | undefined;
  /** Added to the logits where units are selected (gates/balance.ts); undefined where nothing is. */
  selectionBias: Float64Array | undefined;
  /**
   * The logits and outputs (while training, of all draws) of the last firing of this step, valid until the next; undefined where it did not
   * fire, as in a part that no gate opened.
   */
  get last(): Firings | undefined {
    return this.ofThisStep.at(-1);
  }

  private get ofThisStep(): readonly Firings[] {
    return this.firings[0]?.h.tape.current ? this.firings : [];
  }

  /** All of the last pass: several where its module was applied several times. */
  private firings: Firings[] = [];
  /** Numbers of the random streams of the first, the second firing in a pass, and so on. */
  private readonly streams: number[];
  private readonly more: (() => number) | undefined;
  private readonly cut = new Float64Array(1);
  /** For how many examples every unit fired since `resetHealth`; the last number counts the examples. */
  private readonly tally: Float64Array;

  /**
   * @throws RangeError when the units are no whole number of the neuron's groups
   */
  constructor(engine: Engine, neuron: Neuron, options: FiringSiteOptions) {
    const { group = 1 } = neuron;
    if (options.units % group !== 0)
      throw new RangeError(
        `"${options.name}" has ${options.units} units, and "${neuron.name}" has groups of ${group} (its option \`classes\`). Expected ${Math.ceil(options.units / group) * group} units.`,
      );
    // Refuses layers that are too wide for the neuron.
    drawsOf(neuron, options.units);
    this.neuron = neuron;
    this.name = options.name;
    this.units = options.units;
    this.inputs = options.inputs ?? options.units;
    this.rate = options.rate;
    this.streams = [options.layer];
    this.more = options.more;
    this.state = allocateState(engine, neuron, options.units, this.inputs);
    this.tally = new Float64Array(options.units + 1);
  }

  /** Units are open in threshold mode when their logit is over this; `calibrate` sets it. */
  get threshold(): number {
    return this.cut[0];
  }

  set threshold(logit: number) {
    this.cut[0] = logit;
  }

  /** Everything here that training changes, by name: live arrays. */
  get memory(): readonly (readonly [string, Float32Array | Float64Array])[] {
    return [
      ['threshold', this.cut],
      ['tally', this.tally],
      ...(this.state ? [['state', this.state.values] as const] : []),
      ...(this.selectionBias ? [['selectionBias', this.selectionBias] as const] : []),
    ];
  }

  /** Is this site's output random, or cut to a target rate? Then modes differ. */
  get stochastic(): boolean {
    return this.neuron.noise > 0 || this.rate !== undefined;
  }

  /**
   * logits rows×units → h rows×units, in training draws·rows×units where the neuron asks for several draws (or, for neurons
   * without noise, compact values pairs×size to the same)
   * @param input what the logits are computed from, where the site was made with `inputs`
   */
  fire(pass: Pass, logits: Tensor, input?: Tensor): Tensor {
    const { neuron, state } = pass.overrides?.get(this) ?? this;
    const held = pass.held?.get(this);
    const inputs = { logits, selectionBias: this.selectionBias };
    const fired = held ? holdInputs(held, neuron, inputs) : inputs;
    const h = fireTensor(fired.logits, {
      neuron,
      mode: this.modeOf(pass),
      source: this.sourceOf(pass, this.begin(pass)),
      state,
      input,
      inputs: this.inputs,
      selectionBias: fired.selectionBias,
    });
    if (held) holdOutputs(held, neuron, logits.array, h.array);
    this.firings.push({ logits, h });
    return h;
  }

  /** What the units fired with in this pass, when sampled: for functions of P(h ≠ 0) given the noise. */
  noiseOf(
    pass: Pass,
    logits: Tensor,
  ): { readonly noise: NdArray; readonly selectionBias: Numbers | undefined; readonly state: NdArray | undefined } {
    const source = this.sourceOf(pass, this.firings.length - 1);
    const noise = drawNoise(pass.tape.engine, this.neuron, logits.array, source, rowsOfNoise(logits));
    return { noise, selectionBias: this.selectionBias, state: this.state };
  }

  /** Counts the last pass into the health statistics; returns the share of the minibatch for which each unit fired. */
  countLast(): Float64Array {
    const rates = new Float64Array(this.units);
    let rows = 0;
    for (const { logits, h } of this.ofThisStep) {
      rows += logits.rows;
      this.countRows(h, rates);
    }
    for (let unit = 0; unit < this.units; unit++) {
      this.tally[unit] += rates[unit];
      rates[unit] /= Math.max(1, rows);
    }
    this.tally[this.units] += rows;
    return rates;
  }

  /** Adds the number of rows for which each unit fired. */
  private countRows(h: Tensor, rates: Float64Array): void {
    const { tape } = h;
    const counts = tape.engine.allocate([1, this.units], `counts of ${this.name}`);
    const weights = tape.weightsOf(h)?.pointer ?? 0;
    tape.engine.backend.run('countNonzero', h.array.pointer, weights, counts.pointer, h.rows, this.units);
    const { values } = counts;
    for (let unit = 0; unit < this.units; unit++) rates[unit] += values[unit];
  }

  /** What the units did since `resetHealth`: for how many rows each fired, of how many; and the rows of the last pass. */
  get epoch(): { readonly opened: Float64Array; readonly seen: number; readonly rows: number } {
    const { tally, units } = this;
    const rows = this.firings.reduce((sum, { logits }) => sum + logits.rows, 0);
    return { opened: tally.subarray(0, units), seen: tally[units], rows };
  }

  resetHealth(): void {
    this.tally.fill(0);
  }

  get health(): SiteHealth {
    const examples = Math.max(1, this.tally[this.units]);
    const shares = this.tally.subarray(0, this.units).map((count) => count / examples);
    const rate = sum(shares) / this.units;
    return {
      site: this.name,
      rate,
      dead: shares.filter((share) => share < 0.001).length,
      alwaysOn: shares.filter((share) => share > 0.999).length,
      units: this.units,
      spread: spreadOf(shares, rate),
    };
  }

  /** Forgets the firings of earlier passes. @returns how many there were in this one */
  private begin({ tape }: Pass): number {
    if (this.firings[0]?.h.tape !== tape) this.firings = [];
    return this.firings.length;
  }

  private sourceOf(pass: Pass, firing: number): DrawKey {
    const { draw = pass.source.draw } = pass.overrides?.get(this) ?? {};
    while (this.more && this.streams.length <= firing) this.streams.push(this.more());
    return { ...pass.source, draw, layer: this.streams[firing] ?? this.streams[0] };
  }

  private modeOf(pass: Pass): FiringMode {
    if (pass.mode === 'train') return 'train';
    if (!this.stochastic || pass.mode === 'sample') return 'sample';
    return pass.mode === 'mean-field' ? 'mean-field' : { threshold: this.threshold };
  }
}
