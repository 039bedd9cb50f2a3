/** Is a value of unknown origin an object or an array? Its properties may be read. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
