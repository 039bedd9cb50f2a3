import { brightest, imageOf } from '../data/encode-table.ts';
import { createPictureFitter } from '../data/picture-fitter.ts';
import { encodeBase64 } from '../io/base64.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import type { LinkName } from '../tasks/link.ts';
import { padded, type Shape, sizeOf, stridesOf } from '../tensor/shape.ts';
import { blocksOf, type Guard, guardsOf, inBlocks } from './blocks.ts';
import { javascriptFormula } from './javascript-formula.ts';
import { type FrozenMode, lower, type Program, readsSequences } from './lower.ts';
import {
  createPredictor,
  type PortableFormula,
  type PortableOperand,
  type PortableStep,
} from './one-file-predictor.ts';
import { createRowReader } from './one-file-row.ts';
import { type Constant, isConstant, type Node, placesOf, readsPoints, type Value } from './program.ts';
import { type Outputs, outputsOf, portableTable, type RunFacts } from './run-facts.ts';

/** Options of `exportOneFile`. */
export interface OneFileOptions extends RunFacts {
  /** Default `threshold`. */
  readonly mode?: FrozenMode;
  /** A byte times this is an input of the network; default 1/255, or 1 where inputs are numbers of an embedding. Numbers other than bytes are taken as they are. */
  readonly byteScale?: number;
  /** Of a network that takes pictures, or rows of a table that are: their size. Default of a table: square, if it may be. The file then has `fitPicture` too, for pictures of any size. */
  readonly image?: { readonly width: number; readonly height: number } | undefined;
}

const NAMES: NamesOf<OneFileOptions> = { mode: true, byteScale: true, image: true, table: true, task: true };

/**
 * A model as one JavaScript file, an ES module that imports nothing: `predict(pixels)` gives the class, the probabilities, the
 * open gates and the multiply-adds of one example; closed blocks are not computed. Of a network with layers that read sequences it has `read(points)` in
 * its place, which takes the points of one sequence. With a `table`, `predict` takes rows as tables have them, by name or in order: categories
 * as words, numbers as they are, and gives back names. It runs in a page and in Node.
 * @throws ExportError for operations and neurons that cannot be told, and a table that is not the network's
 * @throws RangeError for another mode, a scale that is not a number over 0, or a size that is not the inputs'
 */
export function exportOneFile(model: Model, options: OneFileOptions = {}): string {
  checkNames('exportOneFile', options, NAMES);
  const { mode = 'threshold', table, image = table && imageOf(table) } = options;
  const { byteScale: given } = options;
  if (given !== undefined && !(given > 0 && given < Number.POSITIVE_INFINITY))
    throw new RangeError(`\`byteScale\` is ${given}. Expected a number over 0.`);
  if (image && image.width * image.height !== model.inputs)
    throw new RangeError(
      `\`image\` is ${image.width} × ${image.height}, and the network takes ${model.inputs} numbers. Expected a picture of as many pixels.`,
    );
  const program = lower(model, mode);
  const byteScale = given ?? (readsNumbers(program) ? 1 : 1 / 255);
  const outputs = outputsOf(program, model, options);
  const { steps, parameters } = stepsOf(program);
  return `${header(program, { ...options, image }, byteScale, outputs)}
const network = {
  inputs: ${program.inputs},
  byteScale: ${byteScale},
  otherWork: ${program.otherWork},
  ...${jsonText(outputs)},
  steps: [
    ${steps.map((step) => textOf(step)).join(',\n    ')},
  ],
};

${tidy(createPredictor.toString())}
${table ? `\n// How the rows of a table become inputs.\nconst table = ${jsonText(portableTable(table))};\n\n${tidy(createRowReader.toString())}\n` : ''}${image ? `\n${tidy(createPictureFitter.toString())}\n` : ''}

// Weights and other constants: Float32, little-endian, base64.
const bytes = Uint8Array.from(atob('${encodeBase64(parameters)}'), (c) => c.charCodeAt(0));
const words = new DataView(bytes.buffer);
const parameters = Float32Array.from({ length: bytes.length / 4 }, (_, i) => words.getFloat32(4 * i, true));

/** The deterministic form of the network that this file holds. */
export const mode = '${mode}';
export const inputs = ${program.inputs};
export const classes = ${program.outputs};
export const { ${readsSequences(program) ? 'read' : 'predict'} } = createPredictor(network, parameters${table ? ', createRowReader(table)' : ''});
${outputs.names ? `export const names = ${jsonText(outputs.names)};\n` : ''}${image ? FIT_PICTURE(image, table ? brightest(table) : 255) : ''}`;
}

/** Are inputs the numbers of an embedding's rows? */
const readsNumbers = ({ input, uses }: Program): boolean =>
  (uses.get(input) ?? []).some(({ kind }) => kind === 'gather');

/** What a file has for pictures of any size. */
const FIT_PICTURE = ({ width, height }: NonNullable<OneFileOptions['image']>, white: 1 | 255): string => `
const fit = createPictureFitter();
/**
 * A picture of any size as what predict takes: ${white === 1 ? 'numbers from 0 to 1' : 'bytes'}, bright on dark, the ink's box scaled to 20/28 of the side and centred.
 * picture: what a canvas's getImageData gives, or { width, height, values } of greys from 0 (black) to 1. Gives { pixels, done }.
 */
export const fitPicture = (picture) => ${
  white === 1
    ? `{
  const { pixels, done } = fit(picture, { width: ${width}, height: ${height} });
  return { pixels: Float32Array.from(pixels, (byte) => byte / 255), done };
}`
    : `fit(picture, { width: ${width}, height: ${height} })`
};
`;

function header(
  program: Program,
  { table, image }: OneFileOptions,
  byteScale: number,
  { link, names, continues }: Outputs,
): string {
  const { mode, inputs, outputs, layers } = program;
  const widths = [inputs, ...layers.map((layer) => layer.outputs)].join(' → ');
  const title = `// A network trained with flipgrad, in ${mode} mode: ${widths}. It imports nothing.`;
  const [told, meaning] = continues
    ? ['next', `next: the most probable of ${outputs} classes for the point after the last.`]
    : [
        'labels',
        `labels: the most probable of ${outputs} classes at every point, repeats merged, class ${outputs - 1} (blank) left out.`,
      ];
  if (readsSequences(program))
    return `${title}
//
//   import { read } from './this-file.js';
//   const { ${told}, points, multiplyAdds } = read(numbers);
//
// numbers: ${inputs} for every point of one sequence, one point after another, as the network was trained on.
// ${meaning} points: label,
// probabilities, logits and open gates of every point.
`;
  const given = table ? 'row' : 'pixels';
  const [first, ...more] = ANSWERS[link](outputs, names);
  const inputsText = table
    ? `row: an object by the names of the columns, or a list in their order, as the table of the training has them: ${some(table.columns.map(({ name }) => name))}.`
    : `pixels: ${inputs} numbers as the network was trained on, or bytes (Uint8Array, Uint8ClampedArray), which it multiplies by ${byteScale}.`;
  const picture = image
    ? '// fitPicture(picture): a picture of any size as such pixels; picture: what getImageData of a canvas gives.\n'
    : '';
  return `${title}
//
//   import { predict } from './this-file.js';
//   const { ${first}, gates, multiplyAdds } = predict(${given});
//
// ${commented(inputsText)}
${picture}// ${more.map(commented).join(' ')} gates: the gates that were open; closed blocks were not computed.
`;
}

/** What of an answer is taken, and what it means. */
const ANSWERS: Readonly<Record<LinkName, (outputs: number, names?: readonly string[]) => readonly string[]>> = {
  classes: (outputs, names) => [
    names ? 'class: name, probabilities' : 'label, probabilities',
    names
      ? `class: the most probable of ${some(names)}; label: its number, from 0.`
      : `label: the most probable of ${outputs} classes.`,
  ],
  labels: (outputs, names) => [
    'labels, probabilities',
    `labels: those that are more probable than not, of ${names ? some(names) : outputs}.`,
  ],
  numbers: (outputs, names) => ['values', `values: ${names ? `by name, ${some(names)}` : `${outputs} numbers`}.`],
};

const some = (words: readonly string[]): string =>
  words.length > 8 ? `${words.slice(0, 8).join(', ')}, … ${words.length} in all` : words.join(', ');

/** JSON in a program that may stand in a page: no name in it ends the script. */
const jsonText = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Names are anybody's text: a line of a comment stays one. */
const commented = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').replaceAll('</', '< /');

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
function stepsOf(program: Program): { readonly steps: readonly StepText[]; readonly parameters: Uint8Array } {
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

/** A step as JavaScript; what stands under `of` is a function's text. */
function textOf(value: unknown, key?: string): string {
  if (typeof value === 'string' && key === 'of') return value;
  if (Array.isArray(value)) return `[${value.map((part) => textOf(part)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return jsonText(value);
  return `{ ${Object.entries(value)
    .map(([name, part]) => `${name}: ${textOf(part, name)}`)
    .join(', ')} }`;
}

/** A function's text without the blanks that types leave behind when Node strips them. */
function tidy(text: string): string {
  return text
    .replace(/(\S) {2,}(?=\S)/g, '$1 ')
    .replace(/ +([,;)])/g, '$1')
    .replace(/ +$/gm, '');
}
