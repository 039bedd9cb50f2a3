import { listed } from '../math/text.ts';
import type { LinkName } from '../tasks/link.ts';
import { type Program, readsSequences } from './lower.ts';
import { commented } from './one-file-text.ts';
import type { Outputs, RunFacts } from './run-facts.ts';

/** The comment that a file begins with: how it is used. @param about `image`: does it take pictures of any size? */
export function header(
  program: Program,
  { table, image }: Pick<RunFacts, 'table'> & { readonly image: boolean },
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
    ? `row: an object by the names of the columns, or a list in their order, as the table of the training has them: ${listed(table.columns.map(({ name }) => name))}.`
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
      ? `class: the most probable of ${listed(names)}; label: its number, from 0.`
      : `label: the most probable of ${outputs} classes.`,
  ],
  labels: (outputs, names) => [
    'labels, probabilities',
    `labels: those that are more probable than not, of ${names ? listed(names) : outputs}.`,
  ],
  numbers: (outputs, names) => ['values', `values: ${names ? `by name, ${listed(names)}` : `${outputs} numbers`}.`],
};
