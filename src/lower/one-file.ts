import { createGreyTools } from '../data/grey-picture.ts';
import { createPictureFitter } from '../data/picture-fitter.ts';
import { createInkFinder } from '../data/picture-ink.ts';
import { brightest, imageOf } from '../data/table-picture.ts';
import { encodeBase64 } from '../io/base64.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { type FrozenMode, lower, type Program, readsSequences } from './lower.ts';
import { header } from './one-file-header.ts';
import { createPredictor } from './one-file-predictor.ts';
import { createRowReader } from './one-file-row.ts';
import { stepsOf } from './one-file-steps.ts';
import { jsonText, textOf, tidy } from './one-file-text.ts';
import { createStepRunner } from './portable-steps.ts';
import { outputsOf, portableTable, type RunFacts } from './run-facts.ts';

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
  return `${header(program, { table, image: image !== undefined }, byteScale, outputs)}
const network = {
  inputs: ${program.inputs},
  byteScale: ${byteScale},
  otherWork: ${program.otherWork},
  ...${jsonText(outputs)},
  steps: [
    ${steps.map((step) => textOf(step)).join(',\n    ')},
  ],
};

${tidy(createStepRunner.toString())}

${tidy(createPredictor.toString())}
${table ? `\n// How the rows of a table become inputs.\nconst table = ${jsonText(portableTable(table))};\n\n${tidy(createRowReader.toString())}\n` : ''}${image ? `\n${[createGreyTools, createInkFinder, createPictureFitter].map((make) => tidy(make.toString())).join('\n\n')}\n` : ''}

// Weights and other constants: Float32, little-endian, base64.
const bytes = Uint8Array.from(atob('${encodeBase64(parameters)}'), (c) => c.charCodeAt(0));
const words = new DataView(bytes.buffer);
const parameters = Float32Array.from({ length: bytes.length / 4 }, (_, i) => words.getFloat32(4 * i, true));

/** The deterministic form of the network that this file holds. */
export const mode = '${mode}';
export const inputs = ${program.inputs};
export const classes = ${program.outputs};
export const { ${readsSequences(program) ? 'read' : 'predict'} } = createPredictor(network, createStepRunner(network, parameters)${table ? ', createRowReader(table)' : ''});
${outputs.names ? `export const names = ${jsonText(outputs.names)};\n` : ''}${image ? FIT_PICTURE(image, table ? brightest(table) : 255) : ''}`;
}

/** Are inputs the numbers of an embedding's rows? */
const readsNumbers = ({ input, uses }: Program): boolean =>
  (uses.get(input) ?? []).some(({ kind }) => kind === 'gather');

/** What a file has for pictures of any size. */
const FIT_PICTURE = ({ width, height }: NonNullable<OneFileOptions['image']>, white: 1 | 255): string => `
const tools = createGreyTools();
const fit = createPictureFitter(tools, createInkFinder(tools));
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
