import type { NdArray } from '../backend/nd-array.ts';
import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { Model } from '../nn/model.ts';
import type { Pass, SiteOverride } from '../nn/pass.ts';
import { noiseKey } from '../random/stream.ts';
import { classification } from '../tasks/classification.ts';
import type { Task, TaskData } from '../tasks/task.ts';
import { drawsOf } from '../tensor/draws.ts';
import { allocateState } from '../tensor/fire.ts';
import { Tape } from '../tensor/tape.ts';

/** A neuron that is measured at a firing site, with a state of its own. */
export interface Measured {
  readonly neuron: Neuron;
  readonly state: NdArray | undefined;
  /** Evaluations of the loss for one gradient. */
  readonly evaluations: number;
}

/** One gradient at the logits of a site. */
export interface SiteGradient {
  /** ∂loss/∂logits of every example by itself: rows × units. Of a site in a part behind gates, of the rows that opened it: none where none did. */
  readonly gradient: Float32Array;
  /** Of the forward and the backward pass. */
  readonly seconds: number;
}

/** Draws of measured sites have numbers from here on; training and evaluation draw below. */
const FIRST_DRAW = 32_768;

/**
 * Draws gradients at the logits of one firing site by any neuron in the place of the site's own: same network, same minibatch, same
 * logits. Sites below it keep one draw of their units; the site and those above it draw anew each time. Nothing that training
 * goes by is changed: neither weights nor states nor random numbers.
 */
export class SiteGradients {
  private readonly model: Model;
  private readonly site: FiringSite;
  private readonly task: Pick<Task, 'gather' | 'run'>;
  private readonly below: readonly (readonly [FiringSite, SiteOverride])[];
  /** Sites above it with copies of their states. */
  private readonly above: readonly (readonly [FiringSite, NdArray | undefined])[];
  private readonly watched: readonly NdArray[];

  /** @throws RangeError when the site is none of the model's */
  constructor(model: Model, site: FiringSite, task: Pick<Task, 'gather' | 'run'> = classification) {
    const { sites } = model;
    const at = sites.indexOf(site);
    if (at < 0) throw new RangeError(`"${site.name}" is no firing site of this model.`);
    this.model = model;
    this.site = site;
    this.task = task;
    this.below = sites.slice(0, at).map((one) => [one, { neuron: behaviourOf(one.neuron), state: one.state }]);
    this.above = sites
      .slice(at + 1)
      .filter(({ stochastic }) => stochastic)
      .map((one) => [one, allocateState(model.engine, one.neuron, one.units, one.inputs)]);
    const layer = model.layers.find((one) => one.sites.includes(site));
    this.watched = (layer?.parameters ?? []).filter(({ kind }) => kind === 'bias').map(({ tensor }) => tensor);
  }

  /** A neuron to measure, with the state that it starts with. */
  measured(neuron: Neuron): Measured {
    const { units, inputs } = this.site;
    return {
      neuron,
      state: allocateState(this.model.engine, neuron, units, inputs),
      evaluations: drawsOf(neuron, units),
    };
  }

  /**
   * One gradient of the examples with these indices; the neuron's state moves on. Starts a step of the engine.
   * @param draw from 0 to 32,767: the same numbers give the same random numbers
   */
  draw(measured: Measured, dataset: TaskData, indices: ArrayLike<number>, step: number, draw: number): SiteGradient {
    const { model, site } = this;
    const { engine } = model;
    engine.beginStep();
    for (const [one, copy] of this.above) if (one.state && copy) copy.values.set(one.state.values);
    const batch = this.task.gather(engine, dataset, indices);
    const start = performance.now();
    const tape = new Tape(engine);
    tape.watch(this.watched);
    const own = FIRST_DRAW + draw;
    const overrides = new Map<FiringSite, SiteOverride>([
      ...this.below,
      [site, { neuron: measured.neuron, state: measured.state, draw: own }],
      ...this.above.map(([one, state]): [FiringSite, SiteOverride] => [one, { neuron: one.neuron, state, draw: own }]),
    ]);
    const source = { key: noiseKey(model.seed), step, draw: 0 };
    const pass: Pass = { tape, mode: 'train', source, penalties: [], overrides };
    const { losses } = this.task.run(model, pass, batch);
    const logits = site.last?.logits;
    tape.backward([{ tensor: losses, cotangent: 1 }], losses);
    const gradient = logits && tape.gradient(logits);
    const seconds = (performance.now() - start) / 1000;
    return { gradient: gradient ? gradient.toArray() : new Float32Array(logits?.size ?? 0), seconds };
  }
}
