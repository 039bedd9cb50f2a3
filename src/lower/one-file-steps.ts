import { padded, type Shape, sizeOf, stridesOf } from '../tensor/shape.ts';
import { blocksOf, type Guard, guardsOf, inBlocks } from './blocks.ts';
import { javascriptFormula } from './javascript-formula.ts';
import type { Program } from './lower.ts';
import type { PortableFormula, PortableOperand, PortableStep } from './portable-network.ts';
import { type Constant, isConstant, type Node, placesOf, readsPoints, type Value } from './program.ts';

/** A step whose formulas are text. */
type StepText = PortableStep extends infer S ? (S extends PortableStep ? Told<S> : never) : never;
type Told<S> = {
  readonly [K in keyof S]: S[K] extends PortableFormula['of']
    ? string
    : S[K] extends readonly PortableFormula[]
      ? readonly FormulaText[]
      : S[K];
};
type FormulaText = Told<PortableFormula>;

/** The steps of a program, and all their numbers, little-endian. */
export function stepsOf(program: Program): { readonly steps: readonly StepText[]; readonly parameters: Uint8Array } {
  const writer = new StepWriter(program);
  for (const node of program.nodes) writer.write(node);
  return { steps: writer.steps, parameters: writer.numbers.toBytes() };
}

class StepWriter {
  readonly steps: StepText[] = [];
  readonly numbers = new Numbers();
  private readonly program: Program;
  private readonly places = new Map<Value, number>();
  /** Nodes that are part of the step of a gate. */
  private readonly inside: ReadonlySet<Node>;
  private readonly guards: ReadonlyMap<Node, Guard>;

  constructor(program: Program) {
    this.program = program;
    const gates = program.nodes.filter((node) => node.kind === 'gate');
    this.inside = new Set(gates.flatMap((gate) => blocksOf(program, gate)?.nodes ?? []));
    this.guards = guardsOf(program);
  }

  write(node: Node): void {
    if (this.inside.has(node)) return;
    // The last step is the output.
    const alias = node.kind === 'reshape' && node !== this.program.output;
    this.places.set(node, alias ? this.place(node.x) : this.steps.push(this.guarded(node)) - 1);
  }

  /** A step, and the gate that it stands behind. */
  private guarded(node: Node): StepText {
    const step = this.stepOf(node);
    const guard = this.guards.get(node);
    if (!guard || readsPoints(node)) return step;
    return { ...step, behind: { gates: this.place(guard.gates), gate: guard.gate, size: sizeOf(node.shape) } };
  }

  private stepOf(node: Node): StepText {
    switch (node.kind) {
      case 'input':
        return { kind: 'input' };
      case 'elementwise': {
        const operands = node.operands.map((operand) => this.operand(operand, node.shape));
        return { kind: 'elementwise', of: javascriptFormula(node.formula), operands, size: sizeOf(node.shape) };
      }
      case 'reshape':
        return { kind: 'view', x: this.place(node.x), shape: [sizeOf(node.shape)], strides: [1], offset: 0 };
      case 'view':
        return {
          kind: 'view',
          x: this.place(node.x),
          shape: [...node.shape],
          strides: [...node.strides],
          offset: node.offset,
        };
      case 'reduce':
        return { kind: node.reduction, x: this.place(node.x), count: node.count };
      case 'product':
        return this.product(node);
      case 'concatenate': {
        const outer = sizeOf(node.shape.slice(0, node.axis));
        return { kind: 'concatenate', values: node.values.map((value) => this.operand(value, value.shape)), outer };
      }
      case 'largest':
        return { kind: 'largest', x: this.place(node.x), units: node.shape.at(-1) ?? 1, count: node.count };
      case 'gate':
        return this.gate(node);
      case 'lstm': {
        const { at } = this.numbers.of(node.recurrent);
        return { kind: 'lstm', x: this.place(node.x), recurrent: at, units: node.shape[0], backwards: node.backwards };
      }
      case 'attention': {
        const { heads, causal } = node;
        return { kind: 'attention', x: this.place(node.x), width: node.shape[0], heads, causal };
      }
      case 'place':
        return { kind: 'place' };
      case 'gather': {
        const { at } = this.numbers.of(node.table);
        const [rows, ...rest] = node.table.shape;
        return { kind: 'gather', layer: node.layer, x: this.place(node.x), table: at, rows, width: sizeOf(rest) };
      }
    }
  }

  private product({ a, b, shape }: Node & { readonly kind: 'product' }): StepText {
    const [k, n] = b.shape.slice(-2);
    const rows = a.shape.length === 1 ? [1] : shape.slice(0, -1);
    // Rows before one matrix are one under another.
    const flat = b.shape.length === 2;
    const [batch, m] = flat ? [[], sizeOf(rows)] : [rows.slice(0, -1), rows[rows.length - 1]];
    const left = a.shape.length === 1 ? a.shape : [...rows, k];
    return {
      kind: 'product',
      a: this.operand(a, left),
      b: this.operand(b, flat ? b.shape : [...batch, k, n]),
      batch: sizeOf(batch),
      m,
      k,
      n,
    };
  }

  private gate(node: Node & { readonly kind: 'gate' }): StepText {
    const { layer, size, gates, shape } = node;
    const common = { layer, gates: this.operand(gates, gates.shape), size };
    const blocks = blocksOf(this.program, node);
    if (!blocks) return { kind: 'gate', ...common, values: this.operand(node.values, shape) };
    const formulas = blocks.steps.map(({ formula, operands }) => ({
      of: javascriptFormula(formula),
      operands: operands.map((operand) => (operand ? this.numbers.of(operand) : -1)),
    }));
    const { at } = this.numbers.of(blocks.weights, `blocks of ${size}`, () => inBlocks(blocks.weights, size));
    const counts = { inputs: blocks.weights.shape[0], blocks: gates.shape[0] };
    return { kind: 'blocks', ...common, x: this.place(blocks.x), weights: at, ...counts, formulas };
  }

  private place(node: Node): number {
    return this.places.get(node) as number;
  }

  /** An operand in a place where this shape is wanted: as it is where its elements are repeated in turn, else repeated as a step of its own. */
  private operand(value: Value, shape: Shape): PortableOperand {
    const rest = value.shape.slice(value.shape.findIndex((extent) => extent !== 1));
    const turns = sizeOf(value.shape) === 1 || rest.join() === shape.slice(shape.length - rest.length).join();
    if (turns) return isConstant(value) ? this.numbers.of(value) : this.place(value);
    const strides = stridesOf(padded(value.shape, shape.length), shape);
    if (!isConstant(value))
      return this.steps.push({ kind: 'view', x: this.place(value), shape: [...shape], strides, offset: 0 }) - 1;
    return this.numbers.of(value, shape.join(), () =>
      Float32Array.from(placesOf(shape, strides, 0), (place) => value.values[place]),
    );
  }
}

/** All numbers of the file, one after another, every array once. */
class Numbers {
  private readonly arrays: Float32Array[] = [];
  private readonly known = new Map<Constant, Map<string, { readonly at: number; readonly length: number }>>();
  private length = 0;

  /** The place of a constant, or of a form of it. */
  of(constant: Constant, form = '', values = () => constant.values): { readonly at: number; readonly length: number } {
    let forms = this.known.get(constant);
    if (!forms) this.known.set(constant, (forms = new Map()));
    let place = forms.get(form);
    if (!place) {
      const array = values();
      forms.set(form, (place = { at: this.length, length: array.length }));
      this.arrays.push(array);
      this.length += array.length;
    }
    return place;
  }

  /** Little-endian. */
  toBytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(4 * this.length));
    let at = 0;
    for (const values of this.arrays)
      for (const value of values) {
        view.setFloat32(at, value, true);
        at += 4;
      }
    return new Uint8Array(view.buffer);
  }
}
