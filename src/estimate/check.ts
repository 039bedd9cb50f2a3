/** @returns the value @throws RangeError unless it is a whole number from 1 up */
export function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`\`${option}\` is ${value}. Expected a whole number from 1 up.`);
}
