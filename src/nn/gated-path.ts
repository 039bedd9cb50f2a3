import { blockMask, countOpen } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { type BlockShape, openBlocks } from '../tensor/ops/blocks.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { FiringSite } from './firing-site.ts';
import type { GatedSpec } from './gated.ts';
import type { Pass } from './pass.ts';
import { fastestPath, type Path, skipsInTraining } from './paths.ts';

/** Open blocks to compute, and weights for the gradients of their gates where some were opened by a probe. */
export interface OpenBlocks extends BlockShape {
  readonly gradientWeights?: NdArray;
}

/** Decides for every minibatch whether a gated layer computes all blocks or open ones alone. */
export class GatedPath {
  private readonly engine: Engine;
  private readonly gates: FiringSite;
  private readonly experts: FiringSite | undefined;
  private readonly expertsWantAll: boolean;
  private readonly spec: GatedSpec;
  private readonly size: number;
  private readonly probeLayer: number;

  /** @param options.probeLayer number of the probes' random stream */
  constructor(options: {
    engine: Engine;
    gates: FiringSite;
    expertSite: FiringSite | undefined;
    spec: GatedSpec;
    size: number;
    probeLayer: number;
  }) {
    this.engine = options.engine;
    this.gates = options.gates;
    const { expertSite } = options;
    this.experts = expertSite;
    this.expertsWantAll =
      expertSite !== undefined && (expertSite.stochastic || expertSite.neuron.couples !== undefined);
    this.spec = options.spec;
    this.size = options.size;
    this.probeLayer = options.probeLayer;
  }

  /** The blocks to compute for gates (rows × blocks), or undefined for all of them. */
  choose(pass: Pass, gates: Tensor): OpenBlocks | undefined {
    const { compute = 'auto', probe } = this.spec;
    // Experts with noise are calibrated and counted unit by unit over whole minibatches; coupled ones want whole rows.
    if (compute === 'dense' || this.expertsWantAll || pass.everyBlock) return undefined;
    // Units of experts are held by their place in whole rows.
    if (this.experts && pass.held?.has(this.experts)) return undefined;
    const { neuron } = pass.instead?.get(this.gates) ?? this.gates;
    const training = pass.mode === 'train';
    // The layers above are then shown E[h]·H of closed blocks too.
    if (training && neuron.backwardSees === 'expectation') return undefined;
    if (training && !skipsInTraining(neuron)) return probe === undefined ? undefined : this.probed(pass, gates, probe);
    const path = this.fastest(countOpen(this.engine, gates.array), gates.array);
    if (path === 'dense') return undefined;
    return openBlocks(gates, blockMask(this.engine, gates.array), this.size, path === 'gathered');
  }

  private fastest(pairs: number, { rows, columns: blocks }: NdArray): Path {
    return fastestPath(this.engine, { rows, blocks, size: this.size }, pairs, this.spec.compute);
  }

  /** Open blocks and, of the closed ones, each with probability ρ; gate gradients of those weigh 1/ρ. */
  private probed(pass: Pass, fired: Tensor, probability: number): OpenBlocks | undefined {
    const { engine } = this;
    const gates = fired.array;
    const already = countOpen(engine, gates);
    // By the expected number of pairs: a choice that depended on the probes would bias what they weigh.
    const path = this.fastest(already + probability * (gates.size - already), gates);
    if (path === 'dense') return undefined;
    const marks = engine.allocate(gates.shape, 'probed gates');
    const weights = engine.allocate(gates.shape, 'the weights of gate gradients');
    const [key0, key1] = pass.source.key;
    const stream = this.probeLayer * 65536 + pass.source.draw;
    const { step } = pass.source;
    engine.backend.run('uniforms', marks.pointer, gates.rows, gates.columns, key0, key1, step, stream);
    const [u, w, g] = [marks.values, weights.values, gates.values];
    for (let i = 0; i < u.length; i++) {
      const open = g[i] !== 0;
      u[i] = open || u[i] < probability ? 1 : 0;
      w[i] = open ? 1 : 1 / probability;
    }
    const mask = blockMask(engine, marks);
    return { ...openBlocks(fired, mask, this.size, path === 'gathered'), gradientWeights: weights };
  }
}
