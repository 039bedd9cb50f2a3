/** A setting as it is written on the command line. */
export const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
