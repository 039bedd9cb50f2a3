import { checkNames, type NamesOf } from '../schema/names.ts';
import { JOINS, type Join, joinParts, type OpenPart, openRows, weighGradient } from '../tensor/ops/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkUnits } from './check.ts';
import { type GateOptions, gateNames } from './gate-options.ts';
import { GatedPath } from './gated-path.ts';
import { fireGates, gateOptionWords, gateWords, keepRates, resolveGates } from './gating.ts';
import type { LayerSpec } from './layer-kinds.ts';
import { type LayerText, oneOfOption, option, whole } from './layer-text.ts';
import { isModule, type LayerDescription, type LayerKind, layerNames, type Module, module } from './module.ts';
import { type ParallelSpec, parallel } from './parallel.ts';
import type { Scope } from './scope.ts';

/** Gates of parts: see `conditional`. */
export interface ConditionalOptions extends GateOptions {
  /** The parts' values are added (default), or stand one after another along the last axis. */
  readonly join?: Join;
  /** Copies of every part, each with its own parameters and gate; default 1. */
  readonly copies?: number;
  /** What it is called in a model; default: `conditional` and its number. */
  readonly name?: string;
}

/**
 * Modules behind gates: y = Σ_k g_k·part_k(x), or all g_k·part_k(x) one after another. A part is run on the rows that open its gate, forward and
 * backward, and not at all where none does. Source: Bengio, Léonard, Courville 2013, §5; Bengio, Bacon, Pineau, Precup 2015; of whole
 * networks as parts: Shazeer and others 2017.
 */
export interface ConditionalSpec extends LayerDescription, ConditionalOptions {
  readonly layer: 'conditional';
  readonly parts: readonly LayerSpec[];
}

/**
 * Modules behind gates that a gater network on the same input decides. All have one shape; x of points of sequences opens parts point by point, and a part that
 * reads sequences reads the points that opened it.
 * @throws RangeError for no part; of a model with it, for two parts of one name
 */
export function conditional(gates: ConditionalOptions, parts: readonly LayerSpec[]): ConditionalSpec;
export function conditional(
  gates: ConditionalOptions,
  parts: readonly (Module | LayerSpec)[],
): Module | ConditionalSpec;
export function conditional(
  gates: ConditionalOptions,
  parts: readonly (Module | LayerSpec)[],
): Module | ConditionalSpec {
  checkNames('conditional', gates, { ...layerNames, ...conditionalNames });
  if (parts.length === 0) throw new RangeError('conditional: there are no parts. Expected one or more.');
  if (parts.some(isModule)) return module(gates.name ?? 'conditional', (scope, x) => open(scope, gates, parts, x));
  return { layer: 'conditional', parts: parts as readonly LayerSpec[], ...gates };
}

export const conditionalNames: NamesOf<Omit<ConditionalOptions, 'name'>> = { ...gateNames, join: true, copies: true };

export const conditionalText: LayerText<ConditionalSpec> = {
  words: [
    ...gateWords<ConditionalSpec>(),
    option('copies', 'N', { read: (text) => whole(text, 'copies'), write: String }),
    oneOfOption('join', JOINS),
    ...gateOptionWords<ConditionalSpec>(),
  ],
  inside: { read: (parts) => ({ parts }), write: ({ parts }) => parts },
};

/** Shape [...] → that of a part, or with its last extent times the parts. @throws RangeError for a spec that does not fit */
export const applyConditional: LayerKind<ConditionalSpec> = (scope, { parts, ...gates }, x) =>
  open(scope, gates, parts, x);

/** All parts beside each other. */
export function ungatedConditional({ parts, join, copies = 1, name }: ConditionalSpec): ParallelSpec {
  const all = copiesOf(parts, copies).map((part, gate) => ({ ...part, name: nameOf(part, gate, copies) }));
  return parallel(all, { ...(join && { join }), ...(name !== undefined && { name }) });
}

type Part = Module | LayerSpec;

function open(scope: Scope, options: ConditionalOptions, parts: readonly Part[], x: Tensor): Tensor {
  const { pass, engine, stream } = scope;
  const { tape } = pass;
  const { join = 'sum', copies = 1 } = options;
  const facts = scope.keep('spec', () => {
    checkUnits(scope.name, copies, 'copies');
    checkPartNames(scope.name, options, copiesOf(parts, copies), copies);
    return resolveGates(scope, options, parts.length * copies);
  });
  const all = copiesOf(parts, copies);
  const fired = fireGates(scope, x, options, { ...facts, count: all.length });
  const { site, g } = fired;
  const path = scope.keep(
    'path',
    () => new GatedPath({ engine, site, options, probeLayer: stream + 2, fastest: () => 'blocks' }),
  );
  const chosen = path.choose(pass, g);
  const costs = new Float64Array(all.length);
  const run = (part: Part, gate: number): OpenPart[] => {
    const rows = chosen ? openRows(g, chosen.mask, gate) : g.plate;
    if (rows?.rows === 0) return [];
    const [before, outer] = [tape.work.executed, tape.behindGate];
    tape.behindGate = true;
    const values = scope.call(part, rows === x.plate || !rows ? x : tape.lift(x, rows), nameOf(part, gate, copies));
    tape.behindGate = outer;
    costs[gate] = tape.work.executed - before;
    return [{ gate, values: values.dense }];
  };
  const made = all.flatMap(run);
  const shape = scope.keep('shape', () => made[0].values.shape);
  keepRates(scope, options, fired, facts.target, () => costs);
  const { gradientWeights: weights } = chosen ?? {};
  return joinParts(weights ? weighGradient(g, { weights }) : g, made, shape, join);
}

const copiesOf = <P>(parts: readonly P[], copies: number): P[] =>
  parts.flatMap((part) => new Array<P>(copies).fill(part));

/** The name of a part; copies are numbered. */
function nameOf(part: Part, gate: number, copies: number): string {
  const own = isModule(part) ? undefined : part.name;
  if (own !== undefined) return copies === 1 ? own : `${own}${gate % copies}`;
  return `part${gate}`;
}

/** @throws RangeError for two parts of one name, which would share their parameters, or one that is called as the gates or the gater */
function checkPartNames(where: string, { gater = [64] }: ConditionalOptions, all: readonly Part[], copies: number) {
  const taken = new Set(['gates', 'gater', ...(Array.isArray(gater) ? gater.map((_, i) => `gater${i}`) : [])]);
  const names = new Map<string, number>();
  all.forEach((part, gate) => {
    const name = nameOf(part, gate, copies);
    if (taken.has(name))
      throw new RangeError(
        `${where}: part ${gate} is called "${name}", as what decides the gates is. Expected another name.`,
      );
    const before = names.get(name);
    if (before !== undefined)
      throw new RangeError(
        `${where}: parts ${before} and ${gate} are both called "${name}". Expected different names; parts without one are called by their number, copies by the name and theirs.`,
      );
    names.set(name, gate);
  });
}
