import { type BlockMask, blockMask, countOpen } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { FiringSite } from './firing-site.ts';
import type { GateOptions } from './gate-options.ts';
import type { Pass } from './pass.ts';
import { type Path, skipsInTraining } from './paths.ts';

/** The blocks to compute, and the weights of gate gradients if probes opened some of them. */
export interface Chosen {
  readonly mask: BlockMask;
  readonly path: Exclude<Path, 'dense'>;
  /** Like the gates. */
  readonly gradientWeights?: NdArray;
}

export interface GatedPathOptions {
  readonly engine: Engine;
  readonly site: FiringSite;
  readonly options: Pick<GateOptions, 'compute' | 'probe'>;
  /** Number of the probes' random stream. */
  readonly probeLayer: number;
  /** Does the layer itself require all blocks? */
  wantsAll?(pass: Pass): boolean;
  /** The fastest way to compute `pairs` open pairs of rows and gates. */
  fastest(pairs: number, rows: number): Path;
}

/** Decides for every minibatch whether a layer with gates computes everything, or what is open alone. */
export class GatedPath {
  private readonly given: GatedPathOptions;

  constructor(given: GatedPathOptions) {
    this.given = given;
  }

  /** The blocks to compute for gates (rows × gates); undefined: all. */
  choose(pass: Pass, gates: Tensor): Chosen | undefined {
    const { engine, site, options, wantsAll, fastest } = this.given;
    const { compute = 'auto', probe } = options;
    if (compute === 'dense' || pass.everyBlock || wantsAll?.(pass)) return undefined;
    const { neuron } = pass.overrides?.get(site) ?? site;
    const training = pass.mode === 'train';
    // The layers above are then shown E[h]·H of closed blocks too.
    if (training && neuron.backwardSees === 'expectation') return undefined;
    if (training && !skipsInTraining(neuron)) return probe === undefined ? undefined : this.probed(pass, gates, probe);
    const path = fastest(countOpen(engine, gates.array), gates.rows);
    if (path === 'dense') return undefined;
    return { mask: blockMask(engine, gates.array), path };
  }

  /** All open blocks, and each closed one with probability ρ; gate gradients of the latter are weighted by 1/ρ. */
  private probed(pass: Pass, { array: gates }: Tensor, probability: number): Chosen | undefined {
    const { engine, probeLayer, fastest } = this.given;
    const already = countOpen(engine, gates);
    // Choose by the expected number of pairs: a choice that depends on the probes would bias their weights.
    const path = fastest(already + probability * (gates.size - already), gates.rows);
    if (path === 'dense') return undefined;
    const marks = engine.allocate(gates.shape, 'probed gates');
    const weights = engine.allocate(gates.shape, 'the weights of gate gradients');
    const [key0, key1] = pass.source.key;
    const stream = probeLayer * 65536 + pass.source.draw;
    const { step } = pass.source;
    engine.backend.run('uniforms', marks.pointer, gates.rows, gates.columns, key0, key1, step, stream);
    engine.backend.run('probeGates', gates.pointer, marks.pointer, weights.pointer, gates.size, probability);
    return { mask: blockMask(engine, marks), path, gradientWeights: weights };
  }
}
