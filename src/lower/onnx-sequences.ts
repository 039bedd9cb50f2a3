import { type Shape, sizeOf } from '../tensor/shape.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { type Constant, isConstant, type Node, type NodeOf, type Value } from './program.ts';

/** The values of a graph that is being written. */
export interface OnnxValues {
  /** The graph, with names of this layer. */
  at(node: Node): OnnxGraph;
  /** The name of a value with all its elements. */
  whole(value: Value): string;
  /** An array that stands in the file, or a form of one: each once, under a name of its own. */
  constant(constant: Constant, form?: string, make?: () => Pick<Constant, 'shape' | 'values'>): string;
}

/** Which of our parts (input, forget, candidate, output) stand in ONNX's order. */
const ONNX_PARTS = [0, 3, 1, 2];

/** The points of a sequence, read by ONNX's LSTM: a batch of one. Its parts come in the order input, output, forget, candidate. */
export function addLstm(writer: OnnxValues, node: NodeOf<'lstm'>): string {
  const [units] = node.shape;
  const { x, weights, bias } = affineOf(node);
  const points = writer.whole(x);
  // Transposed: row by row of 4·units.
  const turned = (values: ArrayLike<number>, rows: number): number[] =>
    ONNX_PARTS.flatMap((part) =>
      Array.from({ length: units * rows }, (_, i) => {
        const [unit, row] = [Math.floor(i / rows), i % rows];
        return values[row * 4 * units + part * units + unit];
      }),
    );
  const graph = writer.at(node);
  const stacked = (constant: Constant, shape: Shape, values: number[]) =>
    writer.constant(constant, 'lstm', () => ({ shape: [1, ...shape], values: Float32Array.from(values) }));
  const inputs = weights.shape[0];
  const parameters = [
    stacked(weights, [4 * units, inputs], turned(weights.values, inputs)),
    stacked(node.recurrent, [4 * units, units], turned(node.recurrent.values, units)),
    stacked(bias, [8 * units], [...turned(bias.values, 1), ...Array<number>(4 * units).fill(0)]),
  ];
  const batch = graph.add('Unsqueeze', [points, graph.integers(1)]);
  const direction = node.backwards ? 'reverse' : 'forward';
  // points × directions × 1 × units
  const read = graph.add('LSTM', [batch, ...parameters], { hidden_size: units, direction });
  return graph.add('Reshape', [read, graph.integers(-1, units)]);
}

/** 0, 1, …: rows × 1. */
export function addPlaces(writer: OnnxValues, { x, ...node }: NodeOf<'place'>): string {
  const input = writer.whole(x);
  const graph = writer.at(node as Node);
  const rows = graph.add('Gather', [graph.add('Shape', [input]), graph.integers(0)]);
  const shape = graph.add('Concat', [rows, graph.integers(1)], { axis: 0 });
  return graph.add('CumSum', [graph.add('Expand', [graph.number(1), shape]), graph.integer(0)], { exclusive: 1 });
}

/** Rows are the points of one sequence. @param input what the network reads */
export function addAttention(writer: OnnxValues, node: NodeOf<'attention'>, input: Node): string {
  const { x, heads, causal } = node;
  const [width] = node.shape;
  const size = width / heads;
  const points = writer.whole(x);
  const places = causal ? addPlaces(writer, { ...node, kind: 'place', x: input }) : undefined;
  const graph = writer.at(node);
  const split = graph.add('Reshape', [points, graph.integers(0, 3, heads, size)]);
  const parts = graph.add('Transpose', [split], { perm: [1, 2, 0, 3] });
  // Each heads × points × size.
  const [queries, keys, values] = [0, 1, 2].map((part) =>
    graph.add('Gather', [parts, graph.integer(part)], { axis: 0 }),
  );
  const products = graph.add('MatMul', [queries, graph.add('Transpose', [keys], { perm: [0, 2, 1] })]);
  let scores = graph.add('Mul', [products, graph.number(1 / Math.sqrt(size))]);
  if (places) {
    const seen = graph.add('LessOrEqual', [graph.add('Transpose', [places], { perm: [1, 0] }), places]);
    scores = graph.add('Where', [seen, scores, graph.number(NEVER)]);
  }
  const read = graph.add('MatMul', [graph.add('Softmax', [scores], { axis: -1 }), values]);
  return graph.add('Reshape', [graph.add('Transpose', [read], { perm: [1, 0, 2] }), graph.integers(0, width)]);
}

/** Less than any score; the smallest Float32. */
const NEVER = -3.4028234663852886e38;

/** What an LSTM reads as x·W + b: of anything else W is the identity. */
function affineOf({ x, layer }: NodeOf<'lstm'>): { x: Node; weights: Constant; bias: Constant } {
  const width = sizeOf(x.shape);
  if (x.kind === 'elementwise' && isSum(x)) {
    const [product, bias] = x.operands;
    if (product.kind === 'product' && isConstant(bias) && bias.values.length === width) {
      const { a, b } = product;
      if (!isConstant(a) && isConstant(b) && a.shape.length === 1) return { x: a, weights: b, bias };
    }
  }
  const name = `${layer}.identity`;
  const identity = Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  return {
    x,
    weights: { kind: 'constant', name, shape: [width, width], values: identity },
    bias: { kind: 'constant', name: `${layer}.zeros`, shape: [width], values: new Float32Array(width) },
  };
}

const isSum = ({ formula }: NodeOf<'elementwise'>): boolean =>
  typeof formula === 'object' &&
  'of' in formula &&
  formula.operation === 'add' &&
  formula.of[0] === 'logit' &&
  typeof formula.of[1] === 'object' &&
  'operand' in formula.of[1];
