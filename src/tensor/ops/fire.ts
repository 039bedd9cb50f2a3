import type { NdArray } from '../../backend/nd-array.ts';
import { LEAST_OPEN } from '../../neurons/contract.ts';
import { type Formula, f, type RowFormula } from '../../neurons/formula.ts';
import { formulaMisfit, formulasOf } from '../../neurons/parts/formula-misfit.ts';
import { defineOp, shapeText } from '../define-op.ts';
import { drawsOf } from '../draws.ts';
import { ExportError } from '../export-error.ts';
import { type FireAttributes, type FireOptions, fireRows, pullFire } from '../fire.ts';
import type { Portable, PortableValue } from '../portable.ts';
import type { Tensor } from '../tensor.ts';
import { integersOnHeap } from './gathering.ts';
import { asProgram } from './plates.ts';

/** The extents before the last, which is that of the units, as rows: [rows, …, units] → [rows·…, units]. */
function unitRows(x: NdArray): NdArray {
  if (x.shape.length === 2) return x;
  const units = x.shape.length === 1 ? 1 : x.shape[x.shape.length - 1];
  return x.reshaped([units === 0 ? 0 : x.size / units, units]);
}

/** A layer of neurons: logits → h. Its pullback is the neuron's learning rule. */
const fireOp = defineOp<FireAttributes>({
  name: 'fire',
  causal: () => true,
  withoutCotangent: true,
  ignoresCotangent: ({ neuron }) => neuron.reads === 'loss',
  // Without noise h is a function of the logits, whose slope may be 0.
  needsCotangent: ({ neuron, mode }) =>
    mode === 'train' && (neuron.reads === 'both' || (neuron.reads !== 'loss' && neuron.noise > 0)),
  readsLosses: ({ neuron, mode }) => mode === 'train' && (neuron.reads === 'loss' || neuron.reads === 'both'),
  forward(engine, [logits], attributes) {
    const { output, draws, ...rest } = fireRows(engine, unitRows(logits), attributes);
    const shape = draws ? [draws.count * logits.shape[0], ...logits.shape.slice(1)] : logits.shape;
    return { output: output.reshaped(shape), ...rest, ...(draws && { draws }) };
  },
  pullback(engine, record, dy: NdArray | undefined, context) {
    const { attributes, tensors, output, saved } = record;
    const { neuron } = attributes;
    if (saved.length === 0)
      throw new RangeError('Only sampled firing has a gradient; mean-field and threshold are for evaluation.');
    const readsLoss = neuron.reads === 'loss' || neuron.reads === 'both';
    // The rule sees its own logits, whatever others are shown.
    const logits = unitRows(tensors[0].array);
    const loss = readsLoss
      ? perUnitRow(engine, context.lossOfRows(record, `The neuron "${neuron.name}"`), unitRows(output).rows)
      : undefined;
    const gradient = pullFire(engine, attributes, logits, unitRows(output), saved[0], dy && unitRows(dy), loss);
    return [gradient?.reshaped(tensors[0].array.shape) ?? null];
  },
  lower(to, [given], { attributes, layer }) {
    const logits = given.shape.length === 0 ? to.reshape(given, [1]) : given;
    const rows = formOf(attributes, layer);
    return to.reshape(lowerRows(to, logits, rows, attributes), given.shape);
  },
});

/** How units fire without noise, as `fireRows` does. @throws ExportError for units that are random, and neurons that cannot be told */
function formOf({ neuron, mode }: FireAttributes, layer: string): RowFormula {
  const misfit = formulaMisfit(neuron);
  const formulas = formulasOf(neuron);
  if (misfit || !formulas)
    throw new ExportError(
      `The units of "${layer}" cannot be exported. ${misfit} Expected \`formulas\` that say the same as its functions.`,
    );
  if ((mode === 'train' || mode === 'sample') && neuron.noise > 0)
    throw new ExportError(
      `The units of "${layer}" cannot be exported: the neuron "${neuron.name}" draws random numbers there. Expected a firing site of the scope.`,
    );
  if (typeof mode === 'object' && !neuron.selects) return { keep: { over: mode.threshold }, value: formulas.whenOpen };
  return (neuron.settle && formulas.settle) || { keep: 'all', value: formulas.expect };
}

/** The units along the last axis, by a formula of their rows. */
function lowerRows(
  to: Portable,
  logits: PortableValue,
  { keep, value }: RowFormula,
  { neuron, selectionBias }: FireAttributes,
): PortableValue {
  const axis = logits.shape.length - 1;
  const units = logits.shape[axis];
  const scores =
    keep !== 'all' && selectionBias
      ? to.elementwise(f.add(f.logit, f.operand(1)), logits, to.constant(selectionBias, [units]))
      : logits;
  const marks = keep === 'largest' ? to.largest(scores, neuron.opens?.(units) ?? units) : scores;
  const over = typeof keep === 'object' ? keep.over : 0;
  const ifOpen = (then: Formula, otherwise: number): Formula =>
    keep === 'all' ? then : f.pick(marks === logits ? f.logit : f.operand(1), over, then, otherwise);
  if (typeof value !== 'object' || !('softmax' in value)) return to.elementwise(ifOpen(value, 0), logits, marks);
  const open = to.elementwise(ifOpen(value.softmax, Number.NEGATIVE_INFINITY), logits, marks);
  const terms = to.elementwise(f.exp(f.subtract(f.logit, f.operand(1))), open, to.reduce('max', open, [axis]));
  const share = to.elementwise(f.divide(f.logit, f.operand(1)), terms, to.reduce('sum', terms, [axis]));
  const weight = f.max(f.operand(2), LEAST_OPEN);
  return to.elementwise(ifOpen(weight, 0), logits, marks, share);
}

/** The loss of every row of units, of which several may stand in one row of the plate. */
function perUnitRow(engine: Parameters<typeof fireRows>[0], loss: NdArray, rows: number): NdArray {
  if (loss.size === rows) return loss;
  const output = engine.allocate([rows], 'the losses of rows of units');
  const [from, to] = [loss.values, output.values];
  const inner = rows / Math.max(1, from.length);
  for (let i = 0; i < to.length; i++) to[i] = from[Math.floor(i / inner)];
  return output;
}

/**
 * The input of a layer as rows × inputs, beside its rows of units; undefined for neurons that do not read it, and while nothing is trained.
 * @throws RangeError for an input with other rows
 */
function inputRows(logits: Tensor, { neuron, mode, input }: FireOptions): NdArray | undefined {
  if (!input || !neuron.readsInput || mode !== 'train') return undefined;
  const { tape, plate } = logits;
  const own = input.plate ? input.dense : asProgram(input);
  const x = plate && own.plate !== plate ? tape.lift(own, plate) : own;
  const rows = unitRows(logits.array).rows;
  const inputs = x.shape.reduce((product, extent) => product * extent, 1) / (rows / Math.max(1, logits.rows));
  if (x.rows === logits.rows && Number.isInteger(inputs)) return x.array.reshaped([rows, inputs]);
  throw new RangeError(
    `The input of the neuron "${neuron.name}"${tape.layer ? ` in "${tape.layer}"` : ''} has ${x.rows} rows of the shape ${shapeText(x.shape)}, and its logits ${logits.rows} of ${shapeText(logits.shape)}. Expected an input that the rows of units divide among them.`,
  );
}

/** @throws RangeError where several rows of units share a loss */
function checkRows({ tape, plate, shape }: Tensor, name: string): void {
  const kind = plate?.structure.kind;
  if ((kind === 'examples' || kind === 'program') && shape.length <= 1) return;
  throw new RangeError(
    `The neuron "${name}"${tape.layer ? ` in "${tape.layer}"` : ''} compares draws that differ in one row, and its logits of the shape ${shapeText(shape)} for ${tape.plates.describe(plate)} share losses. Expected one row of units an example, or another neuron, e.g. "rloo".`,
  );
}

/**
 * Fires a layer of neurons: logits of shape [..., units] → h of the same shape. A neuron with several draws makes as many rows, draw after
 * draw; what it meets from below is repeated for them. Logits without rows are one row of the whole program.
 * @throws RangeError when the neuron cannot stand in so wide a layer, or its input has other rows
 */
export function fireTensor(logits: Tensor, attributes: FireOptions): Tensor {
  const { tape } = logits;
  const instead = tape.firing?.(logits, attributes);
  if (instead) return instead;
  const rows = logits.plate ? logits : asProgram(logits);
  const units = rows.shape[rows.shape.length - 1] ?? 1;
  if (attributes.neuron.comparesRows && attributes.mode === 'train') checkRows(rows, attributes.neuron.name);
  const several = attributes.mode === 'train' && drawsOf(attributes.neuron, units) > 1;
  const at = several ? tape.atDraws(rows) : rows;
  return fireOp(at, { ...attributes, input: inputRows(at, attributes), rowOf: rowsOfNoise(at) });
}

/** Whose random numbers each row of units has: see `FireAttributes.rowOf`. */
export function rowsOfNoise({ tape, plate, shape }: Pick<Tensor, 'tape' | 'plate' | 'shape'>): number {
  const rows = plate ? tape.plates.unpickedOnHeap(plate) : 0;
  const inner = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  if (!rows || !plate || inner === 1) return rows;
  const { heap } = tape.engine.backend;
  const own = heap.memory.integers(rows, plate.rows);
  return integersOnHeap(
    tape.engine,
    Int32Array.from({ length: plate.rows * inner }, (_, i) => own[Math.floor(i / inner)] * inner + (i % inner)),
    [plate.rows * inner],
  ).pointer;
}
