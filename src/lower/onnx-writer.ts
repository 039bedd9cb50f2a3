import { type Shape, sizeOf } from '../tensor/shape.ts';
import { type Blocks, blocksOf, inBlocks } from './blocks.ts';
import type { Program } from './lower.ts';
import { addFormula } from './onnx-formula.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { addAttention, addLstm, addPlaces, type OnnxValues } from './onnx-sequences.ts';
import { type Constant, isConstant, type Node, type NodeOf, placesOf, type Value } from './program.ts';

/** Values of the open blocks alone, rows × open·size: block by block, those that some row opens, then one more whose gates are 0. */
interface OpenBlocks {
  readonly value: string;
  readonly blocks: number;
  readonly size: number;
  /** Numbers of the blocks; the last one may be any block. */
  readonly open: string;
  /** The same without the last. */
  readonly opened: string;
}

/** Writes values as they are asked for, each once. A value of one row's shape [...] is rows × ... in the graph; constants have no rows. */
export class OnnxWriter implements OnnxValues {
  readonly graph = new OnnxGraph();
  private readonly program: Program;
  private readonly skipped: ReadonlySet<Node>;
  private readonly written = new Map<Node, string>();
  private readonly opened = new Map<Node, OpenBlocks>();
  private readonly names = new Map<Constant, Map<string, string>>();
  private readonly taken = new Set<string>();

  /** @param input what the network reads, where that is not the file's input itself */
  constructor(program: Program, skipped: ReadonlySet<Node>, input?: (graph: OnnxGraph) => string) {
    this.program = program;
    this.skipped = skipped;
    this.written.set(program.input, input?.(this.graph) ?? 'input');
  }

  /** The name of a value with all its elements. */
  whole(value: Value): string {
    if (isConstant(value)) return this.constant(value);
    const known = this.written.get(value);
    if (known !== undefined) return known;
    const name = this.write(value);
    this.written.set(value, name);
    return name;
  }

  private write(node: Node): string {
    switch (node.kind) {
      case 'elementwise': {
        const names = node.operands.map((operand) => this.whole(operand));
        const rows = node.operands.findIndex((operand) => !isConstant(operand));
        return addFormula(this.at(node), node.formula, names, names[rows]);
      }
      case 'reshape':
        return this.reshaped(node, this.whole(node.x), node.shape);
      case 'view':
        return this.view(node);
      case 'reduce': {
        const { x, count, reduction } = node;
        const runs = this.reshaped(node, this.whole(x), [sizeOf(x.shape) / count, count]);
        const graph = this.at(node);
        const reduced =
          reduction === 'sum'
            ? graph.add('ReduceSum', [runs, graph.integers(2)], { keepdims: 0 })
            : graph.add('ReduceMax', [runs], { axes: [2], keepdims: 0 });
        return this.reshaped(node, reduced, node.shape);
      }
      case 'product':
        return this.product(node);
      case 'concatenate': {
        const [first] = node.values.filter((value) => !isConstant(value)).map((value) => this.whole(value));
        const parts = node.values.map((value) => this.inRows(node, value, first));
        return this.at(node).add('Concat', parts, { axis: node.axis + 1 });
      }
      case 'largest': {
        const scores = this.whole(node.x);
        const graph = this.at(node);
        const name = graph.add('TopK', [scores, graph.integers(node.count)], { axis: -1 }, 2);
        const marks = [graph.filled(scores, 0), `${name}.1`, graph.filled(`${name}.1`, 1)];
        return graph.add('ScatterElements', marks, { axis: -1 });
      }
      case 'gate':
        return this.skipped.has(node) ? this.scattered(node) : this.gated(node);
      case 'lstm':
        return addLstm(this, node);
      case 'attention':
        return addAttention(this, node, this.program.input);
      case 'place':
        return addPlaces(this, node);
      case 'gather': {
        const [indices, table] = [this.whole(node.x), this.whole(node.table)];
        const graph = this.at(node);
        return graph.add('Gather', [table, graph.add('Cast', [indices], { to: INT64 })], { axis: 0 });
      }
      default:
        return 'input';
    }
  }

  /** The graph, with names of this layer. */
  at({ layer }: Node): OnnxGraph {
    this.graph.scope = layer;
    return this.graph;
  }

  /** An array that stands in the file, or a form of one: each once, under a name of its own. */
  constant(constant: Constant, form = '', make: () => Pick<Constant, 'shape' | 'values'> = () => constant): string {
    let forms = this.names.get(constant);
    if (!forms) this.names.set(constant, (forms = new Map()));
    let name = forms.get(form);
    if (name === undefined) {
      name = constant.name;
      for (let i = 1; this.taken.has(name); i++) name = `${constant.name}.${i}`;
      this.taken.add(name);
      forms.set(form, this.graph.constant(name, make()));
    }
    return name;
  }

  /** Rows in another shape. */
  private reshaped(node: Node, value: string, shape: Shape): string {
    const graph = this.at(node);
    return graph.add('Reshape', [value, graph.integers(0, ...shape)]);
  }

  /** A constant once for every row; other values have their rows. */
  private inRows(node: Node, value: Value, like: string): string {
    const name = this.whole(value);
    if (!isConstant(value)) return name;
    const graph = this.at(node);
    const rows = graph.add('Gather', [graph.add('Shape', [like]), graph.integers(0)]);
    const shape = graph.add('Concat', [rows, graph.integers(...value.shape)], { axis: 0 });
    return graph.add('Expand', [name, shape]);
  }

  private view(node: NodeOf<'view'>): string {
    const { x, shape, strides, offset } = node;
    const flat = this.reshaped(node, this.whole(x), [sizeOf(x.shape)]);
    const graph = this.at(node);
    const places = graph.integers(...placesOf(shape, strides, offset));
    return this.reshaped(node, graph.add('Gather', [flat, places], { axis: 1 }), shape);
  }

  private product(node: NodeOf<'product'>): string {
    const { a, b } = node;
    const open = isConstant(a) ? undefined : this.openBlocks(a);
    if (!open || !isConstant(b)) {
      const names = [this.whole(a), this.whole(b)];
      return this.at(node).add('MatMul', names);
    }
    const [, units] = b.shape;
    const weights = this.constant(b, `blocks of ${open.size}`, () => ({
      shape: [open.blocks, open.size, units],
      values: b.values,
    }));
    const graph = this.at(node);
    const read = graph.add('Reshape', [graph.add('Gather', [weights, open.open]), graph.integers(-1, units)]);
    return graph.add('MatMul', [open.value, read]);
  }

  /** The open blocks of a gate whose closed ones are skipped. */
  private openBlocks(node: Node): OpenBlocks | undefined {
    if (node.kind !== 'gate' || !this.skipped.has(node)) return undefined;
    let open = this.opened.get(node);
    if (!open) this.opened.set(node, (open = this.addOpenBlocks(node, blocksOf(this.program, node) as Blocks)));
    return open;
  }

  /**
   * Blocks that some row opens. Block 0 comes once more at the end, with a gate of 0, since products of no blocks at all are an
   * error in onnxruntime.
   */
  private addOpenBlocks(node: NodeOf<'gate'>, { x, weights, steps }: Blocks): OpenBlocks {
    const { size } = node;
    const [blocks, inputs] = [node.gates.shape[0], weights.shape[0]];
    const gates = this.whole(node.gates);
    const below = this.openBlocks(x);
    const input = below?.value ?? this.whole(x);
    const graph = this.at(node);
    const largest = graph.add('ReduceMax', [graph.add('Abs', [gates])], { axes: [0], keepdims: 0 });
    const opened = graph.add('Squeeze', [graph.add('NonZero', [largest]), graph.integers(0)]);
    const open = graph.add('Concat', [opened, graph.integers(0)], { axis: 0 });
    const stored = this.constant(weights, `blocks of ${size}`, () => ({
      shape: [blocks, inputs, size],
      values: inBlocks(weights, size),
    }));
    let read = graph.add('Gather', [stored, open]);
    if (below) {
      // Of open blocks × inputs × size, the rows of those inputs that are there.
      const byBlock = graph.add('Reshape', [read, graph.integers(0, below.blocks, below.size * size)]);
      read = graph.add('Reshape', [
        graph.add('Gather', [byBlock, below.open], { axis: 1 }),
        graph.integers(0, -1, size),
      ]);
    }
    // open blocks × rows × size
    let units = graph.add('MatMul', [input, read]);
    for (const { formula, operands } of steps) {
      const names = operands.map((operand) => {
        if (!operand) return units;
        if (operand.values.length === 1) return this.constant(operand);
        const form = { shape: [blocks, 1, size], values: operand.values };
        return graph.add('Gather', [this.constant(operand, `units of ${size}`, () => form), open]);
      });
      units = addFormula(graph, formula, names, units);
    }
    const padded = graph.add('Pad', [graph.add('Transpose', [gates], { perm: [1, 0] }), graph.integers(0, 0, 1, 0)]);
    const openGates = graph.add('Concat', [opened, graph.integers(blocks)], { axis: 0 });
    const factors = graph.add('Unsqueeze', [graph.add('Gather', [padded, openGates]), graph.integers(2)]);
    const byRow = graph.add('Transpose', [graph.add('Mul', [units, factors])], { perm: [1, 0, 2] });
    return { value: graph.add('Reshape', [byRow, graph.integers(0, -1)]), blocks, size, open, opened };
  }

  /** All blocks of a gate whose closed ones are skipped: those are the last of the open ones, which is 0. */
  private scattered(node: NodeOf<'gate'>): string {
    const { value, blocks, size, opened } = this.openBlocks(node) as OpenBlocks;
    const graph = this.at(node);
    const count = graph.add('Shape', [opened]);
    const last = graph.add('Expand', [count, graph.integers(blocks)]);
    // 0, 1, …: how many ones stand before each.
    const ones = graph.add('Expand', [graph.integers(1), count]);
    const order = graph.add('CumSum', [ones, graph.integer(0)], { exclusive: 1 });
    const places = graph.add('ScatterElements', [last, opened, order], { axis: 0 });
    const inBlocks = graph.add('Reshape', [value, graph.integers(0, -1, size)]);
    return this.reshaped(node, graph.add('Gather', [inBlocks, places], { axis: 1 }), [blocks * size]);
  }

  /** Every block, each times its gate. */
  private gated(node: NodeOf<'gate'>): string {
    const { size } = node;
    const [gates, values] = [this.whole(node.gates), this.whole(node.values)];
    const graph = this.at(node);
    if (size === 1) return graph.add('Mul', [values, gates]);
    const split = (name: string, value: Value, shape: Shape) =>
      isConstant(value) ? graph.add('Reshape', [name, graph.integers(...shape)]) : this.reshaped(node, name, shape);
    const blocks = node.gates.shape[0];
    const inBlocks = split(values, node.values, [blocks, size]);
    const product = graph.add('Mul', [inBlocks, split(gates, node.gates, [blocks, 1])]);
    return this.reshaped(node, product, node.shape);
  }
}

const INT64 = 7;
