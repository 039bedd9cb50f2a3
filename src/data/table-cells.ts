/** What cells without a value hold, in lower case. */
export const MISSING_WORDS: readonly string[] = ['', 'na', 'n/a', 'nan', 'null', 'none', '?'];
/** Ends a message about a cell whose commas or points may be decimal or between thousands: it is refused, not guessed. */
export const COMMA =
  ', a number with a decimal comma or with signs between thousands. Expected a decimal point and nothing between thousands';

/** The number in a cell; NaN when it is none, or none that Float32 can hold. */
export function cellNumber(cell: string): number {
  const value = Math.fround(Number(cell));
  return Number.isFinite(value) && cell.trim() !== '' ? value : Number.NaN;
}

/** Does a cell hold a finite number that Float32 can hold? */
export const isNumber = (cell: string): boolean => !Number.isNaN(cellNumber(cell));
/** A number as some countries and programs write it: with a decimal comma, or signs between thousands; none that Number knows. */
const WRITTEN_NUMBER = /^[+-]?(\d{1,3}([., '’\u00a0\u202f]\d{3})+|\d+)([.,]\d+)?$/;
/** Is a cell a number for people alone, as `1.234,5` is? */
export const isWrittenNumber = (cell: string): boolean => !isNumber(cell) && WRITTEN_NUMBER.test(cell.trim());

/** Does a cell hold no value? See `MISSING_WORDS`. */
export const isMissing = (cell: string): boolean => MISSING_WORDS.includes(cell.trim().toLowerCase());
/** Are two cells or names equal but for case and the blanks around them? */
export const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
