/** Portable programs: what exports are made of. */

import { evaluateFormula, type Formula, operandsOf } from '../neurons/formula.ts';
import { shapeText } from '../tensor/define-op.ts';
import { ExportError } from '../tensor/export-error.ts';
import type { Portable, PortableValue } from '../tensor/portable.ts';
import { broadcastShape, padded, type Shape, sameShape, sizeOf, stridesOf } from '../tensor/shape.ts';

/** Numbers that stand in the file; what is made of none but these is computed when the file is written. */
export interface Constant {
  readonly kind: 'constant';
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
  /** What it is called where names are kept: that of the parameter. */
  readonly name: string;
}

/** A primitive of a program: see `Portable`. All shapes are those of one row. */
export type Node = { readonly shape: Shape; readonly layer: string } & (
  | { readonly kind: 'input' }
  /** Operands of as many axes as the output have extents that are equal or 1; constants may have fewer axes. */
  | { readonly kind: 'elementwise'; readonly formula: Formula; readonly operands: readonly Value[] }
  | { readonly kind: 'reshape'; readonly x: Node }
  | { readonly kind: 'view'; readonly x: Node; readonly strides: readonly number[]; readonly offset: number }
  /** Every `count` elements after one another become one. */
  | { readonly kind: 'reduce'; readonly reduction: 'sum' | 'max'; readonly x: Node; readonly count: number }
  | { readonly kind: 'product'; readonly a: Value; readonly b: Value }
  | { readonly kind: 'concatenate'; readonly values: readonly Value[]; readonly axis: number }
  | { readonly kind: 'largest'; readonly x: Node; readonly count: number }
  | { readonly kind: 'gate'; readonly gates: Value; readonly values: Value; readonly size: number }
  | { readonly kind: 'lstm'; readonly x: Node; readonly recurrent: Constant; readonly backwards: boolean }
  | { readonly kind: 'attention'; readonly x: Node; readonly heads: number; readonly causal: boolean }
  | { readonly kind: 'place'; readonly x: Node }
  | { readonly kind: 'gather'; readonly x: Node; readonly table: Constant }
);
export type Kind = Node['kind'];
export type NodeOf<K extends Kind> = Extract<Node, { readonly kind: K }>;
export type Value = Node | Constant;

/** Do the rows of its input have to be the points of one sequence? */
export const readsPoints = ({ kind }: Node): boolean => kind === 'lstm' || kind === 'attention' || kind === 'place';

/** What a node reads. */
export function sourcesOf(node: Node): readonly Value[] {
  switch (node.kind) {
    case 'input':
      return [];
    case 'elementwise':
      return node.operands;
    case 'product':
      return [node.a, node.b];
    case 'concatenate':
      return node.values;
    case 'gate':
      return [node.gates, node.values];
    default:
      return [node.x];
  }
}

/** A program that grows primitive by primitive. What it is told to make of constants alone is a constant. */
export class ProgramBuilder implements Portable {
  /** The layer that is being told, for messages and names. */
  layer = '';
  readonly nodes: Node[] = [];
  private readonly views = new Map<Constant, Map<string, Constant>>();

  input(shape: Shape): Node {
    return this.add({ kind: 'input', shape, layer: '' });
  }

  constant(values: ArrayLike<number>, shape: Shape, name = `${this.layer}.constant`): Constant {
    return { kind: 'constant', shape, values: Float32Array.from(values), name };
  }

  elementwise(formula: Formula, ...given: readonly PortableValue[]): Value {
    const read = [...operandsOf(formula)].sort((i, j) => i - j);
    // What is made of the input stays so, whatever the formula reads of it.
    const made = given.findIndex((operand) => !isConstant(operand as Value));
    if (made >= 0 && read.every((i) => isConstant(given[i] as Value))) read.push(made);
    const shape = broadcastShape(
      'elementwise',
      given.map((operand) => operand.shape),
    );
    const operands = read.map((i) => given[i] as Value);
    const renumbered = withOperands(formula, read);
    if (operands.every(isConstant)) return this.computed(renumbered, operands as Constant[], shape);
    const own = broadcastShape(
      'elementwise',
      operands.map((operand) => operand.shape),
    );
    const beside = operands.map((operand) =>
      isConstant(operand) ? operand : this.reshape(operand, padded(operand.shape, own.length)),
    );
    const node = this.add({
      kind: 'elementwise',
      formula: renumbered,
      operands: beside,
      shape: own,
      layer: this.layer,
    });
    return this.view(node, shape, stridesOf(padded(own, shape.length), shape));
  }

  reduce(reduction: 'sum' | 'max', given: PortableValue, axes: readonly number[]): Value {
    const { shape } = given;
    const rest = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const order = [...rest, ...axes];
    const strides = stridesOf(shape);
    const x = this.known(
      'reduce',
      this.view(
        given,
        order.map((axis) => shape[axis]),
        order.map((axis) => strides[axis]),
      ),
    );
    const count = sizeOf(axes.map((axis) => shape[axis]));
    const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    return this.add({ kind: 'reduce', reduction, x, count, shape: kept, layer: this.layer });
  }

  product(first: PortableValue, second: PortableValue): Value {
    const [a, b] = [first as Value, second as Value];
    const isRow = a.shape.length === 1;
    const [left, right] = [isRow ? [1, ...a.shape] : a.shape, b.shape];
    const [m, k] = left.slice(-2);
    const [inner, n] = right.slice(-2);
    if (left.length < 2 || right.length < 2 || k !== inner || (isRow && right.length > 2))
      throw new RangeError(
        `product: the shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} do not fit. Expected [..., m, k] and [..., k, n], or [k] and [k, n].`,
      );
    if (isConstant(a) && isConstant(b)) throw this.ofConstants('product');
    if (isRow && !isConstant(a) && !isConstant(b)) return this.reshape(this.product(this.reshape(a, [1, k]), b), [n]);
    const batch = broadcastShape('product', [left.slice(0, -2), right.slice(0, -2)]);
    const rank = batch.length + 2;
    // What has rows of its own has as many axes as the output.
    const beside = (x: Value) => (isConstant(x) || isRow ? x : this.reshape(x, padded(x.shape, rank)));
    const shape = isRow ? [n] : [...batch, m, n];
    return this.add({ kind: 'product', a: beside(a), b: beside(b), shape, layer: this.layer });
  }

  reshape(given: PortableValue, shape: Shape): Value {
    const x = given as Value;
    if (sameShape(x.shape, shape)) return x;
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw new RangeError(`reshape: ${shapeText(x.shape)} does not become ${shapeText(shape)}.`);
    if (isConstant(x)) return this.viewOf(x, `reshape ${shape.join()}`, () => ({ ...x, shape }));
    const from = x.kind === 'reshape' ? x.x : x;
    if (sameShape(from.shape, shape)) return from;
    return this.add({ kind: 'reshape', x: from, shape, layer: this.layer });
  }

  view(given: PortableValue, shape: Shape, strides: readonly number[], offset = 0): Value {
    const x = given as Value;
    const whole = sizeOf(shape) === sizeOf(x.shape) && offset === 0;
    if (whole && stridesOf(shape).every((stride, axis) => shape[axis] === 1 || stride === strides[axis]))
      return this.reshape(x, shape);
    if (!isConstant(x)) return this.add({ kind: 'view', x, strides, offset, shape, layer: this.layer });
    return this.viewOf(x, `${shape.join()} ${strides.join()} ${offset}`, () => {
      const places = placesOf(shape, strides, offset);
      return { ...x, shape, values: Float32Array.from(places, (place) => x.values[place]) };
    });
  }

  concatenate(given: readonly PortableValue[], axis: number): Value {
    const values = given as readonly Value[];
    if (values.every(isConstant)) throw this.ofConstants('concatenate');
    const length = values.reduce((sum, { shape }) => sum + shape[axis], 0);
    return this.add({
      kind: 'concatenate',
      values,
      axis,
      shape: values[0].shape.with(axis, length),
      layer: this.layer,
    });
  }

  largest(given: PortableValue, count: number): Value {
    const x = this.known('largest', given);
    return this.add({
      kind: 'largest',
      x,
      count: Math.min(count, x.shape.at(-1) ?? 1),
      shape: x.shape,
      layer: this.layer,
    });
  }

  gate(gates: PortableValue, values: PortableValue, size: number): Value {
    const { shape } = values;
    if (gates.shape.length !== 1 || shape.length !== 1 || gates.shape[0] * size !== shape[0])
      throw new RangeError(
        `gate: gates of the shape ${shapeText(gates.shape)} do not fit blocks of ${size} of ${shapeText(shape)}.`,
      );
    return this.add({ kind: 'gate', gates: gates as Value, values: values as Value, size, shape, layer: this.layer });
  }

  lstm(given: PortableValue, recurrent: PortableValue, backwards: boolean): Value {
    if (!isConstant(recurrent as Value))
      throw new ExportError(
        `The operation "lstm" in "${this.layer}" cannot be exported with recurrent weights that depend on the input.`,
      );
    const x = this.known('lstm', given);
    const weights = recurrent as Constant;
    return this.add({ kind: 'lstm', x, recurrent: weights, backwards, shape: [weights.shape[0]], layer: this.layer });
  }

  attention(given: PortableValue, heads: number, causal: boolean): Value {
    const x = this.known('attention', given);
    return this.add({ kind: 'attention', x, heads, causal, shape: [x.shape[0] / 3], layer: this.layer });
  }

  place(): Value {
    return this.add({ kind: 'place', x: this.nodes[0], shape: [1], layer: this.layer });
  }

  gather(given: PortableValue, indices: PortableValue): Value {
    const table = given as Value;
    if (!isConstant(table))
      throw new ExportError(
        `The operation "gather" in "${this.layer}" cannot be exported with a table that depends on the input.`,
      );
    const x = this.known('gather', indices);
    return this.add({ kind: 'gather', x, table, shape: [...x.shape, ...table.shape.slice(1)], layer: this.layer });
  }

  private add<N extends Node>(node: N): N {
    if (node.shape.includes(0))
      throw new ExportError(
        `A value in "${node.layer}" has the shape ${shapeText(node.shape)}, hence no elements, and cannot be exported.`,
      );
    this.nodes.push(node);
    return node;
  }

  private known(name: string, value: PortableValue): Node {
    if (isConstant(value as Value)) throw this.ofConstants(name);
    return value as Node;
  }

  private ofConstants(name: string): RangeError {
    return new RangeError(
      `${name}: no operand depends on the input. Expected one that does: \`constant\` makes others.`,
    );
  }

  private computed(formula: Formula, operands: readonly Constant[], shape: Shape): Constant {
    const places = operands.map((operand) => placesOf(shape, stridesOf(padded(operand.shape, shape.length), shape), 0));
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) =>
      evaluateFormula(formula, ...operands.map((operand, at) => operand.values[places[at][i]])),
    );
    return { kind: 'constant', shape, values, name: operands[0]?.name ?? `${this.layer}.constant` };
  }

  /** The same view of a constant every time, so that shared weights stand in a file once. */
  private viewOf(x: Constant, key: string, make: () => Constant): Constant {
    let own = this.views.get(x);
    if (!own) this.views.set(x, (own = new Map()));
    let view = own.get(key);
    if (!view) own.set(key, (view = make()));
    return view;
  }
}

export const isConstant = (value: Value): value is Constant => value.kind === 'constant';

/** The places of a view's elements. */
export function placesOf(shape: Shape, strides: readonly number[], offset: number): Int32Array {
  const places = new Int32Array(sizeOf(shape));
  for (let i = 0; i < places.length; i++) {
    let place = offset;
    for (let axis = shape.length - 1, rest = i; axis >= 0; rest = Math.floor(rest / shape[axis--]))
      place += (rest % shape[axis]) * strides[axis];
    places[i] = place;
  }
  return places;
}

/** A formula of some operands alone, in their order. */
function withOperands(formula: Formula, read: readonly number[]): Formula {
  if (read.every((operand, i) => operand === i)) return formula;
  const done = new Map<Formula, Formula>();
  const rename = (part: Formula): Formula => {
    if (typeof part === 'number') return part;
    if (part === 'logit') return operandAt(read.indexOf(0));
    if ('operand' in part) return operandAt(read.indexOf(part.operand));
    let renamed = done.get(part);
    if (!renamed) done.set(part, (renamed = { operation: part.operation, of: part.of.map(rename) }));
    return renamed;
  };
  return rename(formula);
}

const operandAt = (number: number): Formula => (number === 0 ? 'logit' : { operand: number });
