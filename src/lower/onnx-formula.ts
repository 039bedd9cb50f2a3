import { type Formula, type Operation, operandsOf } from '../neurons/formula.ts';
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
  power: 'Pow',
  tanh: 'Tanh',
  sin: 'Sin',
  cos: 'Cos',
  sigmoid: 'Sigmoid',
  pick: 'Where',
} as const satisfies Record<Operation, string>;

/** The next Float32 in a direction. */
function nextFloat(x: number, direction: 1 | -1): number {
  // Next to a number lies one with the next bits; 0 has a sign.
  if (x === 0) return direction * 2 ** -149;
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0] += x > 0 === direction > 0 ? 1 : -1;
  return new Float32Array(bits.buffer)[0];
}

/** The largest Float32 up to a number: a Float32 is over the one just where it is over the other. */
function roundedDown(x: number): number {
  const rounded = Math.fround(x);
  return rounded > x ? nextFloat(rounded, -1) : rounded;
}

/** The smallest Float32 from a number up. */
function roundedUp(x: number): number {
  const rounded = Math.fround(x);
  return rounded < x ? nextFloat(rounded, 1) : rounded;
}

/**
 * Adds a formula's nodes, shared parts once.
 * @param like one of the operands, of as many rows as the result: it has these even where the formula does not read it
 */
export function addFormula(graph: OnnxGraph, formula: Formula, operands: readonly string[], like: string): string {
  const done = new Map<Formula, string>();
  const add = (part: Formula): string => {
    if (part === 'logit') return operands[0];
    if (typeof part === 'number') return graph.number(part);
    if ('operand' in part) return operands[part.operand];
    const known = done.get(part);
    if (known !== undefined) return known;
    const name = part.operation === 'pick' ? pick(part.of) : graph.add(OPERATORS[part.operation], part.of.map(add));
    done.set(part, name);
    return name;
  };
  // The comparison is the other way round: of NaN the third, as `pick` says.
  const pick = ([x, y, then, otherwise]: readonly Formula[]): string => {
    const left = typeof x === 'number' ? graph.number(roundedUp(x)) : add(x);
    const right = typeof y === 'number' ? graph.number(roundedDown(y)) : add(y);
    return graph.add('Where', [graph.add('LessOrEqual', [left, right]), add(otherwise), add(then)]);
  };
  const value = add(formula);
  return [...operandsOf(formula)].some((operand) => operands[operand] === like)
    ? value
    : graph.add('Expand', [value, graph.add('Shape', [like])]);
}
