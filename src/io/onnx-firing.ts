import { LEAST_OPEN } from '../neurons/contract.ts';
import type { Formula, Operation } from '../neurons/formula.ts';
import type { FrozenFiring } from './frozen-network.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** Every operation as an ONNX operator; `pick` is two. */
const OPERATORS = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'Div',
  min: 'Min',
  max: 'Max',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  pick: 'Where',
} as const satisfies Record<Operation, string>;

/** Can each unit be told without the others of its row? */
export function firesAlone({ keep, bias, value }: FrozenFiring): boolean {
  return (
    !bias && !(typeof value === 'object' && 'softmax' in value) && !(typeof keep === 'object' && 'largest' in keep)
  );
}

/** Adds neurons to a graph: logits (rows × units; of units that fire alone any shape) → what the units emit. */
export function addFiring(graph: OnnxGraph, { keep, bias, value }: FrozenFiring, logits: string): string {
  const closed = keep === 'all' ? undefined : addClosed(graph, keep, biased(graph, logits, bias));
  if (typeof value === 'object' && 'softmax' in value) {
    const scores = addFormula(graph, value.softmax, logits);
    const open = closed ? graph.add('Where', [closed, graph.number(Number.NEGATIVE_INFINITY), scores]) : scores;
    const weights = graph.add('Max', [graph.add('Softmax', [open], { axis: -1 }), graph.number(LEAST_OPEN)]);
    return closed ? graph.add('Where', [closed, graph.number(0), weights]) : weights;
  }
  const emitted = addFormula(graph, value, logits);
  if (closed) return graph.add('Where', [closed, graph.number(0), emitted]);
  return typeof value === 'number' ? graph.filled(logits, value) : emitted;
}

function biased(graph: OnnxGraph, logits: string, bias: Float64Array | undefined): string {
  if (!bias) return logits;
  const name = graph.constant(`${graph.scope}.selectionBias`, {
    shape: [bias.length],
    values: Float32Array.from(bias),
  });
  return graph.add('Add', [logits, name]);
}

/** Which units are closed. The comparison is that of closed ones: a NaN leaves its unit open, and so shows. */
function addClosed(graph: OnnxGraph, keep: Exclude<FrozenFiring['keep'], 'all'>, scores: string): string {
  if ('over' in keep) return graph.add('LessOrEqual', [scores, graph.number(roundedDown(keep.over))]);
  const name = graph.add('TopK', [scores, graph.integers(keep.largest)], { axis: -1 }, 2);
  const indices = `${name}.1`;
  const marks = [graph.filled(scores, 0), indices, graph.filled(indices, 1)];
  return graph.add('LessOrEqual', [graph.add('ScatterElements', marks, { axis: -1 }), graph.number(0)]);
}

/** The largest Float32 up to a number: a Float32 is over the one just where it is over the other. */
function roundedDown(x: number): number {
  const rounded = Math.fround(x);
  if (!(rounded > x)) return rounded;
  const bits = new Int32Array(Float32Array.of(rounded).buffer);
  // Next to a number lies one with the next bits; 0 has a sign.
  if (rounded === 0) return -(2 ** -149);
  bits[0] += rounded > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

/** Adds a formula's nodes, shared parts once. @returns the name of its value; of numbers, that of a scalar */
function addFormula(graph: OnnxGraph, formula: Formula, logits: string): string {
  const done = new Map<Formula, string>();
  const add = (part: Formula): string => {
    if (part === 'logit') return logits;
    if (typeof part === 'number') return graph.number(part);
    const known = done.get(part);
    if (known !== undefined) return known;
    const [x, y, ...rest] = part.of.map(add);
    const operator = OPERATORS[part.operation];
    const name =
      operator === 'Where'
        ? graph.add('Where', [graph.add('Greater', [x, y]), ...rest])
        : graph.add(operator, y === undefined ? [x] : [x, y]);
    done.set(part, name);
    return name;
  };
  return add(formula);
}
