/** @throws RangeError unless `units` is a whole number ≥ 1 */
export function checkUnits(where: string, units: number, what = 'units'): void {
  if (!Number.isInteger(units) || units < 1)
    throw new RangeError(`${where}: \`${what}\` is ${units}; a whole number from 1 up would do.`);
}

/** @throws RangeError for a word that is none of those known @param what the option, for the message */
export function checkWord<W extends string>(name: string, what: string, value: string, words: readonly W[]): void {
  if (!(words as readonly string[]).includes(value))
    throw new RangeError(`${name}: \`${what}\` is "${value}". Expected one of ${words.join(', ')}.`);
}
