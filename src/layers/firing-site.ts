import type { Engine } from '../engine/engine.ts';
import { allocateState, type DrawKey, drawNoise, type FiringMode } from '../engine/fire.ts';
import type { Tensor } from '../engine/tensor.ts';
import type { Firing, Neuron } from '../neurons/contract.ts';
import type { Pass } from './layer.ts';

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
}

/** A place in a network where a layer of neurons fires: the neuron, its state, its threshold and its statistics. */
export class FiringSite {
  readonly name: string;
  readonly neuron: Neuron;
  readonly units: number;
  /** Target share of open units; undefined where none is wanted. */
  readonly rate: number | undefined;
  readonly state: Tensor | undefined;
  /** Units are open in threshold mode when their logit is over this; `calibrate` sets it. */
  threshold = 0;
  /** Added to the logits where units are selected (gates/balance.ts); undefined where nothing is. */
  selectionBias: Float64Array | undefined;
  /** The logits and outputs of the last pass, valid until the next step. */
  last: { logits: Tensor; h: Tensor } | undefined;
  private readonly layer: number;
  private readonly fired: Float64Array;
  private examples = 0;

  /** @param layer number of the site's random stream, below 65,536 */
  constructor(engine: Engine, neuron: Neuron, options: { name: string; units: number; rate?: number; layer: number }) {
    this.neuron = neuron;
    this.name = options.name;
    this.units = options.units;
    this.rate = options.rate;
    this.layer = options.layer;
    this.state = allocateState(engine, neuron, options.units);
    this.fired = new Float64Array(options.units);
  }

  /** Is this site's output random, or cut to a target rate? Then modes differ. */
  get stochastic(): boolean {
    return this.neuron.noise > 0 || this.rate !== undefined;
  }

  /** logits rows×units → h rows×units (or, for neurons without noise, compact values pairs×size to the same) */
  fire(pass: Pass, logits: Tensor): Tensor {
    const h = pass.tape.apply('fire', [logits], {
      neuron: this.neuron,
      mode: this.modeOf(pass),
      source: this.sourceOf(pass),
      state: this.state,
      selectionBias: this.selectionBias,
    });
    this.last = { logits, h };
    return h;
  }

  /** What the units fired with in this pass, when sampled: for functions of P(h ≠ 0) given the noise. */
  firingOf(pass: Pass, logits: Tensor): Omit<Firing, 'h'> {
    const { rows, columns: units } = logits;
    const noise = drawNoise(pass.tape.engine, this.neuron, logits, this.sourceOf(pass)).values;
    return { rows, units, logits: logits.values, noise, selectionBias: this.selectionBias };
  }

  /** Counts the last pass into the health statistics; returns the share of the minibatch for which each unit fired. */
  countLast(): Float64Array {
    const rates = new Float64Array(this.units);
    if (!this.last) return rates;
    const { values, rows } = this.last.h;
    for (let r = 0, i = 0; r < rows; r++) for (let j = 0; j < this.units; j++, i++) if (values[i] !== 0) rates[j]++;
    this.examples += rows;
    for (let j = 0; j < this.units; j++) {
      this.fired[j] += rates[j];
      rates[j] /= rows;
    }
    return rates;
  }

  resetHealth(): void {
    this.fired.fill(0);
    this.examples = 0;
  }

  get health(): SiteHealth {
    const shares = this.fired.map((count) => count / Math.max(1, this.examples));
    return {
      site: this.name,
      rate: shares.reduce((sum, share) => sum + share, 0) / this.units,
      dead: shares.filter((share) => share < 0.001).length,
      alwaysOn: shares.filter((share) => share > 0.999).length,
      units: this.units,
    };
  }

  private sourceOf(pass: Pass): DrawKey {
    return { ...pass.source, layer: this.layer };
  }

  private modeOf(pass: Pass): FiringMode {
    if (!this.stochastic || pass.mode === 'train' || pass.mode === 'sample') return 'sample';
    return pass.mode === 'mean-field' ? 'mean-field' : { threshold: this.threshold };
  }
}
