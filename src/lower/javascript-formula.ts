import { type Formula, type Operation, operandsOf } from '../neurons/formula.ts';

/** Every operation as an expression of JavaScript; operands stand in parentheses where they need them. */
const EXPRESSIONS = {
  add: (x, y) => `(${x} + ${y})`,
  subtract: (x, y) => `(${x} - ${y})`,
  multiply: (x, y) => `(${x} * ${y})`,
  divide: (x, y) => `(${x} / ${y})`,
  min: (x, y) => `Math.min(${x}, ${y})`,
  max: (x, y) => `Math.max(${x}, ${y})`,
  exp: (x) => `Math.exp(${x})`,
  log: (x) => `Math.log(${x})`,
  sqrt: (x) => `Math.sqrt(${x})`,
  power: (x, y) => `Math.pow(${x}, ${y})`,
  tanh: (x) => `Math.tanh(${x})`,
  sin: (x) => `Math.sin(${x})`,
  cos: (x) => `Math.cos(${x})`,
  sigmoid: (x) => `(1 / (1 + Math.exp(-${x})))`,
  pick: (x, y, then, otherwise) => `(${x} <= ${y} ? ${otherwise} : ${then})`,
} as const satisfies Record<Operation, (...operands: string[]) => string>;

/** A formula as the text of a function of the logit, or of several operands; parts that are used more than once are computed once. */
export function javascriptFormula(formula: Formula): string {
  const uses = new Map<Formula, number>();
  const count = (part: Formula): void => {
    if (typeof part !== 'object' || 'operand' in part) return;
    uses.set(part, (uses.get(part) ?? 0) + 1);
    if (uses.get(part) === 1) part.of.forEach(count);
  };
  count(formula);
  const shared = new Map<Formula, string>();
  const lines: string[] = [];
  const expression = (part: Formula): string => {
    if (part === 'logit') return nameOf(0);
    if (typeof part === 'number') return part < 0 ? `(${part})` : String(part);
    if ('operand' in part) return nameOf(part.operand);
    const name = shared.get(part);
    if (name) return name;
    const write: (...operands: string[]) => string = EXPRESSIONS[part.operation];
    const text = write(...part.of.map(expression));
    if (uses.get(part) === 1) return text;
    const fresh = `t${shared.size}`;
    lines.push(`const ${fresh} = ${text};`);
    shared.set(part, fresh);
    return fresh;
  };
  const result = expression(formula);
  const names = Array.from({ length: Math.max(0, ...operandsOf(formula)) + 1 }, (_, number) => nameOf(number)).join(
    ', ',
  );
  return lines.length === 0 ? `(${names}) => ${result}` : `(${names}) => { ${lines.join(' ')} return ${result}; }`;
}

const nameOf = (operand: number): string => (operand === 0 ? 'a' : `a${operand}`);
