import { evaluateFormula, type Formula, f } from '../neurons/formula.ts';
import { formulaMisfit, formulasOf } from '../neurons/formula-misfit.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { GatedSpec } from '../nn/gated.ts';
import type { LstmSpec } from '../nn/lstm.ts';
import type { Model } from '../nn/model.ts';
import { isModule } from '../nn/module.ts';
import { ExportError } from './export-error.ts';

/** The modes that are functions of the input alone, hence can be exported. */
export type FrozenMode = 'threshold' | 'mean-field';

export const FROZEN_MODES: readonly FrozenMode[] = ['threshold', 'mean-field'];

/** Who among the units of a row is open: all, those over a number, or so many that are largest (of equal ones the first). */
export type Keep = 'all' | { readonly over: number } | { readonly largest: number };

/** What the units of a row emit: `value` where open, else 0. */
export interface FrozenFiring {
  readonly keep: Keep;
  /** Added to the logits where `keep` compares them. */
  readonly bias?: Float64Array;
  /** A formula of the logit, or the softmax over the open units of one (then at least LEAST_OPEN). */
  readonly value: Formula | { readonly softmax: Formula };
}

/** firing(x·W + b) */
export interface FrozenAffine {
  readonly kind: 'affine';
  readonly name: string;
  readonly inputs: number;
  readonly units: number;
  /** inputs × units, row-major. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly firing: FrozenFiring;
}

/** y_k = g_k·H_k: the gater's last stage gives g, the experts give H. */
export interface FrozenGated {
  readonly kind: 'gated';
  readonly name: string;
  readonly gater: readonly FrozenAffine[];
  readonly experts: FrozenAffine;
  /** The experts' weights block by block: blocks × inputs × size. */
  readonly blockWeights: Float32Array;
  readonly blocks: number;
  readonly size: number;
  /** Can a gate be 0, so that its block need not be computed? */
  readonly closes: boolean;
}

/** Rows are the points of one sequence; the outputs of the directions stand side by side. See kernels/lstm.ts. */
export interface FrozenLstm {
  readonly kind: 'lstm';
  readonly name: string;
  readonly inputs: number;
  /** Of one direction. */
  readonly units: number;
  /** Weights inputs × 4·units and units × 4·units, row-major: input, forget, candidate, output. */
  readonly directions: readonly (Pick<FrozenAffine, 'name' | 'weights' | 'bias'> & {
    readonly backwards: boolean;
    readonly recurrent: Float32Array;
  })[];
}

/** A network with the noise off, as plain facts: what exports are made of. Its outputs are the logits of the classes. */
export interface FrozenNetwork {
  readonly mode: FrozenMode;
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: readonly (FrozenAffine | FrozenGated | FrozenLstm)[];
}

/** Are the rows of a network's input the points of one sequence, and not examples by themselves? */
export const readsSequences = ({ layers }: FrozenNetwork): boolean => layers.some(({ kind }) => kind === 'lstm');

/**
 * What a model computes in one mode.
 * @throws ExportError for a layer without a blueprint, and for a neuron whose formulas are not those of its functions
 * @throws RangeError for another mode
 */
export function freeze(model: Model, mode: FrozenMode): FrozenNetwork {
  if (!FROZEN_MODES.includes(mode))
    throw new RangeError(`The mode of an export is "${mode}"; ${FROZEN_MODES.join(' or ')} would do.`);
  const layers = model.spec.layers.map((spec, i) => {
    const { name } = model.layers[i];
    if (!isModule(spec)) {
      if (spec.layer === 'dense') return freezeAffine(model, name, mode, siteOf(model, name));
      if (spec.layer === 'gated') return freezeGated(model, name, spec, mode);
      if (spec.layer === 'lstm') return freezeLstm(model, name, spec, mode);
    }
    throw new ExportError(
      `The layer "${name}" cannot be exported: it is a ${isModule(spec) ? 'function' : spec.layer}. Expected dense, gated and LSTM layers.`,
    );
  });
  return { mode, inputs: model.inputs, outputs: model.outputs, layers };
}

const siteOf = ({ sites }: Model, name: string): FiringSite | undefined => sites.find((site) => site.name === name);

function freezeAffine(model: Model, name: string, mode: FrozenMode, site: FiringSite | undefined): FrozenAffine {
  const weights = model.weights(`${name}.weights`);
  const bias = model.weights(`${name}.bias`);
  return {
    kind: 'affine',
    name,
    inputs: weights.length / bias.length,
    units: bias.length,
    weights,
    bias,
    firing: site ? freezeSite(site, mode) : { keep: 'all', value: f.logit },
  };
}

function freezeGated(model: Model, name: string, spec: GatedSpec, mode: FrozenMode): FrozenGated {
  const { units, blocks = units, gater = [64] } = spec;
  const hidden = gater.map((_, i) => ({
    ...freezeAffine(model, `${name}.gater${i}`, mode, undefined),
    firing: { keep: 'all' as const, value: TANH },
  }));
  const gates = freezeAffine(model, `${name}.gater`, mode, siteOf(model, `${name}.gates`));
  const experts = freezeAffine(model, `${name}.experts`, mode, siteOf(model, `${name}.experts`));
  const blockWeights = model.parameters
    .find((parameter) => parameter.name === `${name}.experts.weights`)
    ?.tensor.toArray() as Float32Array;
  const closes = canClose(gates.firing);
  return {
    kind: 'gated',
    name,
    gater: [...hidden, gates],
    experts,
    blockWeights,
    blocks,
    size: units / blocks,
    closes,
  };
}

const TANH = formulasOf(resolveNeuron('tanh'))?.expect as Formula;

function freezeLstm(
  model: Model,
  name: string,
  { units, bidirectional = false }: LstmSpec,
  mode: FrozenMode,
): FrozenLstm {
  const directions = [false, ...(bidirectional ? [true] : [])].map((backwards) => {
    const own = backwards ? `${name}.backwards` : name;
    const { inputs, weights, bias } = freezeAffine(model, own, mode, undefined);
    return { name: own, inputs, weights, bias, backwards, recurrent: model.weights(`${own}.recurrent`) };
  });
  return { kind: 'lstm', name, inputs: directions[0].inputs, units, directions };
}

/** How the units of a site fire in a mode; see tensor/fire.ts, which does the same. */
function freezeSite(site: FiringSite, mode: FrozenMode): FrozenFiring {
  const { neuron, name, units, selectionBias } = site;
  const misfit = formulaMisfit(neuron);
  const formulas = formulasOf(neuron);
  if (misfit || !formulas)
    throw new ExportError(
      `The units of "${name}" cannot be exported. ${misfit} \`formulas\` that say the same as its functions would do.`,
    );
  // Where nothing is random and nothing is cut, the modes are the same.
  if (mode !== 'mean-field' && site.stochastic && !neuron.selects)
    return { keep: { over: site.threshold }, value: formulas.whenOpen };
  const rows = neuron.settle && formulas.settle;
  if (!rows) return { keep: 'all', value: formulas.expect };
  const { keep, value } = rows;
  return {
    keep: keep === 'largest' ? { largest: neuron.opens?.(units) ?? units } : keep,
    value,
    ...(selectionBias && { bias: selectionBias.slice() }),
  };
}

function canClose({ keep, value }: FrozenFiring): boolean {
  if (keep !== 'all') return true;
  if (typeof value === 'object' && 'softmax' in value) return false;
  for (let logit = -30; logit <= 30; logit += 0.37) if (evaluateFormula(value, logit) === 0) return true;
  return false;
}
