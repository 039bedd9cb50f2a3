import { shorten } from '../../io/json.ts';
import { checkNames, checkOneOf, type NamesOf } from '../../schema/names.ts';
import { problemOf } from '../../schema/schema.ts';
import { checkSetting, expectedOf, settingKind } from './check-settings.ts';
import { isRange, LEAST_WIDTH, type Range, type Space, stepsOf } from './space.ts';

/** What a plan of is made in a moment. */
export const MOST_TRIALS = 100_000;

const RANGE_NAMES: NamesOf<Range> = { from: true, to: true, scale: true, whole: true, steps: true };

/**
 * Checks the space of a sweep that comes from a file or a program.
 * @param grid are all combinations tried? Then every range needs `steps`
 * @throws RangeError that names the setting, for an unknown one, a value that it cannot have, a range that is none, or more than 100,000 trials
 */
export function checkSpace(space: Space, grid: boolean): void {
  if (typeof space !== 'object' || space === null || Array.isArray(space) || Object.keys(space).length === 0)
    throw new RangeError(
      'A sweep has a `space` of at least one setting: { lr: { from: 1e-4, to: 1e-2, scale: "log" } }.',
    );
  for (const [name, dimension] of Object.entries(space)) {
    const where = `\`space.${name}\``;
    const kind = settingKind('space', name);
    if (typeof dimension !== 'object' || dimension === null)
      throw new RangeError(`${where} is ${shorten(dimension)}. Expected a list of values or { from, to }.`);
    if (!isRange(dimension)) {
      if (dimension.length === 0) throw new RangeError(`${where} is empty. Expected a list of values.`);
      for (const value of dimension) checkSetting('space', name, value);
      if (new Set(dimension.map((value) => JSON.stringify(value))).size < dimension.length)
        throw new RangeError(`${where} holds a value twice. Expected each once.`);
      continue;
    }
    if (!kind.range)
      throw new RangeError(
        `${where} is ${shorten(dimension)}. ${expectedOf(kind, dimension)}, or a list of such values.`,
      );
    checkNames(where, dimension, RANGE_NAMES);
    const { from, to, scale = 'linear', whole: counts = false, steps } = dimension;
    if (typeof counts !== 'boolean')
      throw new RangeError(`\`whole\` of ${where} is ${shorten(counts)}. Expected true or false.`);
    if (!(Number.isFinite(from) && Number.isFinite(to) && from < to))
      throw new RangeError(`${where} goes from ${from} to ${to}. Expected two numbers, the smaller first.`);
    if (to - from < LEAST_WIDTH * Math.max(Math.abs(from), Math.abs(to)))
      throw new RangeError(
        `${where} goes from ${from} to ${to}. Expected ends that differ by ${LEAST_WIDTH} of the larger or more.`,
      );
    checkOneOf(`space.${name}.scale`, scale, ['linear', 'log']);
    if (scale === 'log' && from <= 0)
      throw new RangeError(`${where} is logarithmic from ${from}. Expected a number over 0.`);
    if (counts && !(Number.isSafeInteger(from) && Number.isSafeInteger(to)))
      throw new RangeError(`${where} is of whole numbers from ${from} to ${to}. Expected whole ends.`);
    for (const end of [from, to]) checkSetting('space', name, end);
    const between = from + (to - from) / Math.E;
    if (!counts && problemOf(kind.of, between, where) !== undefined)
      throw new RangeError(
        `${where} takes no fractions such as ${between.toPrecision(4)}, and its range is not of whole numbers. Expected whole: true.`,
      );
    if (grid && !(Number.isSafeInteger(steps) && (steps as number) >= 1))
      throw new RangeError(
        `${where} is a range without \`steps\`; a grid wants a number of them, or a list of values.`,
      );
  }
  const steps = Object.values(space).reduce((product, dimension) => product * stepsOf(dimension), 1);
  if (grid && steps > MOST_TRIALS)
    throw new RangeError(`The grid of \`space\` has ${steps} configurations. Expected ${MOST_TRIALS} at most.`);
}
