import { LEAST_OPEN, type Neuron } from '../contract.ts';
import { evaluateFormula, type Formula, type Formulas, f, type RowFormula } from '../formula.ts';

/** A neuron's formulas with their defaults; undefined where it declares that it has none. */
export function formulasOf({ formulas = {} }: Neuron): (Formulas & { expect: Formula; whenOpen: Formula }) | undefined {
  return formulas === 'none' ? undefined : { expect: f.sigmoid(f.logit), whenOpen: 1, ...formulas };
}

/**
 * Holds a neuron's formulas against its functions, for logits from −30 to 30 and rows of several lengths.
 * @returns what does not fit, as a sentence, or undefined where everything fits to 1e-5 (relative over 1), a tenth of what exports promise
 */
export function formulaMisfit(neuron: Neuron): string | undefined {
  const formulas = formulasOf(neuron);
  if (!formulas) return `The deterministic form of the neuron "${neuron.name}" is no formula of its logits.`;
  for (const form of ['expect', 'whenOpen'] as const)
    for (let logit = -30; logit <= 30; logit += 0.37) {
      const [wanted, given] = [neuron[form](logit), evaluateFormula(formulas[form], logit)];
      if (!near(given, wanted))
        return `The neuron "${neuron.name}" has \`${form}\` = ${wanted} at the logit ${logit}, its formula gives ${given}.`;
    }
  if (!neuron.settle) return undefined;
  const { settle } = formulas;
  if (!settle) return `The neuron "${neuron.name}" has a \`settle\` and no formula for it.`;
  const wrong = [1, 2, 5, 16, 33].find((units) => !settlesAlike(neuron, settle, units));
  return wrong === undefined
    ? undefined
    : `The neuron "${neuron.name}" has a \`settle\` that its formula does not give for rows of ${wrong} units.`;
}

const near = (given: number, wanted: number): boolean =>
  Math.abs(given - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted));

function settlesAlike(neuron: Neuron, formula: RowFormula, units: number): boolean {
  const rows = 8;
  const logits = Float64Array.from({ length: rows * units }, (_, i) => 4 * Math.sin(1 + 12.9898 * i));
  const bias = Float64Array.from({ length: units }, (_, j) => (neuron.selects ? Math.cos(78.233 * j) : 0));
  const h = new Float64Array(rows * units);
  const firing = { rows, units, logits, noise: new Float64Array(0), h, selectionBias: bias, state: {} };
  neuron.settle?.(firing);
  const kept = neuron.opens?.(units) ?? units;
  return Array.from({ length: rows }, (_, r) => r * units).every((from) =>
    evaluateRow(formula, kept, logits.subarray(from, from + units), bias).every((value, j) => near(value, h[from + j])),
  );
}

/** What the units of one row emit. */
function evaluateRow({ keep, value }: RowFormula, kept: number, logits: Float64Array, bias: Float64Array): number[] {
  const scores = Array.from(logits, (logit, j) => logit + bias[j]);
  const order = [...scores.keys()].sort((i, j) => scores[j] - scores[i] || i - j);
  const open = (j: number): boolean => {
    if (keep === 'all') return true;
    return keep === 'largest' ? order.indexOf(j) < kept : scores[j] > keep.over;
  };
  if (typeof value === 'object' && 'softmax' in value) {
    const weights = Array.from(logits, (logit, j) => (open(j) ? Math.exp(evaluateFormula(value.softmax, logit)) : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, j) => (open(j) ? Math.max(LEAST_OPEN, weight / total) : 0));
  }
  return Array.from(logits, (logit, j) => (open(j) ? evaluateFormula(value as Formula, logit) : 0));
}
