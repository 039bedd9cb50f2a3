import type { NdArray } from '../backend/nd-array.ts';
import type { Model } from '../nn/model.ts';
import { checkOneOf } from '../schema/names.ts';
import { type OpRecord, shapeText } from '../tensor/define-op.ts';
import { ExportError } from '../tensor/export-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type Constant,
  isConstant,
  type Kind,
  type Node,
  type NodeOf,
  ProgramBuilder,
  readsPoints,
  sourcesOf,
  type Value,
} from './program.ts';

/** The modes that are functions of the input alone, hence can be exported. */
export type FrozenMode = 'threshold' | 'mean-field';

export const FROZEN_MODES: readonly FrozenMode[] = ['threshold', 'mean-field'];

/** A network with the noise off, as primitives on one row: what exports are made of. */
export interface Program {
  readonly mode: FrozenMode;
  /** Names and widths of the layers, for people. */
  readonly layers: readonly { readonly name: string; readonly outputs: number }[];
  readonly inputs: number;
  readonly outputs: number;
  readonly input: Node;
  /** Shape [outputs], e.g. the logits of classes. */
  readonly output: Node;
  /** What the output is made of, in an order in which it can be computed. */
  readonly nodes: readonly Node[];
  /** What reads each node. */
  readonly uses: ReadonlyMap<Node, readonly Node[]>;
  /** Multiply-adds a row, besides those of products and of LSTMs: what operations say that they cost. */
  readonly otherWork: number;
}

/**
 * What a model computes in one mode, from the trace of a pass.
 * @throws ExportError for an operation that exports do not know, and for a neuron whose formulas are not those of its functions
 * @throws RangeError for another mode
 */
export function lower(model: Model, mode: FrozenMode): Program {
  checkOneOf('mode', mode, FROZEN_MODES, 'An export');
  const { input, output, records } = model.trace(mode);
  const to = new ProgramBuilder();
  const names = new Map(model.parameters.map(({ name, tensor }) => [tensor, name]));
  const constants = new Map<NdArray, Constant>();
  const made = new Map<Tensor, Value>([[input, to.input(input.shape)]]);
  const found = (tensor: Tensor): Value => made.get(tensor) ?? constantOf(tensor);
  const constantOf = ({ array, shape }: Tensor): Constant => {
    let constant = constants.get(array);
    if (!constant) constants.set(array, (constant = to.constant(array.toArray(), shape, names.get(array))));
    return constant;
  };
  const needed = new Set([output]);
  for (const { result, tensors } of records.toReversed())
    if (needed.has(result)) for (const tensor of tensors) needed.add(tensor);
  let otherWork = 0;
  for (const record of records) {
    if (!needed.has(record.result)) continue;
    // Else it is the same for every input, and what it gave stands in the file.
    if (!record.tensors.some((tensor) => made.has(tensor))) continue;
    to.layer = record.layer;
    const before = to.nodes.length;
    made.set(record.result, lowered(to, record, input, found));
    otherWork += costOf(record) - to.nodes.slice(before).reduce((sum, node) => sum + workOf(node), 0);
  }
  const value = to.reshape(found(output), [model.outputs]);
  if (isConstant(value))
    throw new ExportError('The output of the network does not depend on its input. Expected one that does.');
  const nodes = reached(to.nodes, value);
  const { inputs, outputs, layers } = model;
  return { mode, layers, inputs, outputs, input: to.nodes[0], output: value, nodes, uses: usesOf(nodes), otherWork };
}

function lowered(to: ProgramBuilder, record: OpRecord, input: Tensor, found: (tensor: Tensor) => Value): Value {
  const { op, layer, tensors, result } = record;
  const who = `The operation "${op.name}" in "${layer}" cannot be exported`;
  if (!op.lower)
    throw new ExportError(`${who}: it does not say what it is for exports. Expected \`lower\` in its definition.`);
  if (result.plate !== input.plate)
    throw new ExportError(
      `${who}: it gives ${result.tape.plates.describe(result.plate)}. Expected one row for every row of the input.`,
    );
  const value = op.lower(to, tensors.map(found), record) as Value;
  if (value.shape.join() !== result.shape.join())
    throw new ExportError(
      `${who}: its \`lower\` gives the shape ${shapeText(value.shape)} for a row. Expected ${shapeText(result.shape)}, which it computes.`,
    );
  return value;
}

const costOf = ({ op, tensors, attributes, layout }: OpRecord): number =>
  op.cost?.(
    tensors.map(({ array }) => array),
    attributes,
    layout,
  ) ?? 0;

/** Multiply-adds of a primitive for one row, nothing skipped. */
export function workOf(node: Node): number {
  if (node.kind === 'lstm') return node.recurrent.values.length;
  // Of the first point, which sees itself.
  if (node.kind === 'attention') return 2 * node.shape[0];
  return node.kind === 'product' ? node.shape.reduce((size, extent) => size * extent, node.a.shape.at(-1) ?? 1) : 0;
}

/** Nodes that a value is made of, in their order. */
function reached(nodes: readonly Node[], value: Node): Node[] {
  const needed = new Set<Value>([value]);
  for (const node of nodes.toReversed()) if (needed.has(node)) for (const source of sourcesOf(node)) needed.add(source);
  return nodes.filter((node) => needed.has(node));
}

function usesOf(nodes: readonly Node[]): Map<Node, Node[]> {
  const uses = new Map<Node, Node[]>();
  for (const node of nodes)
    for (const source of sourcesOf(node)) {
      if (isConstant(source)) continue;
      const own = uses.get(source);
      if (own) own.push(node);
      else uses.set(source, [node]);
    }
  return uses;
}

export const ofKind = <K extends Kind>(nodes: readonly Node[], kind: K): NodeOf<K>[] =>
  nodes.filter((node): node is NodeOf<K> => node.kind === kind);

/** Are the rows of the input the points of one sequence, and not examples by themselves? */
export const readsSequences = ({ nodes }: Program): boolean => nodes.some(readsPoints);
