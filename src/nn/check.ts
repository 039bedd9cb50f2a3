/** @throws RangeError unless `units` is a whole number ≥ 1 */
export function checkUnits(where: string, units: number, what = 'units'): void {
  if (!Number.isInteger(units) || units < 1)
    throw new RangeError(`${where}: \`${what}\` is ${units}. Expected a whole number from 1 up.`);
}

/** @throws RangeError for two layers of a list that are called the same: they would share their parameters */
export function checkNamesApart(where: string, layers: readonly { readonly name?: string }[]): void {
  const names = layers.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new RangeError(
      `${where}: two layers are called "${twice}". Expected different names: layers of one name would share their parameters.`,
    );
}
