/** @throws RangeError unless `units` is a whole number ≥ 1 */
export function checkUnits(where: string, units: number, what = 'units'): void {
  if (!Number.isInteger(units) || units < 1)
    throw new RangeError(`${where}: \`${what}\` is ${units}; a whole number from 1 up would do.`);
}
