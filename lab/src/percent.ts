/** A share in [0, 1] in percent. */
export const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)}%`;

/** The same with one decimal under 10%, and none from there on and of nothing. */
export const shortPercent = (share: number): string => percent(share, share > 0 && share < 0.0995 ? 1 : 0);

/** The same with one decimal, where that is not 0. */
export const briefPercent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;

/** The same for an axis in percent: three digits, and no sign. */
export const percentNumber = (share: number): string => String(Number((100 * share).toPrecision(3)));

/** An interval of shares for a column of percents: `5.9 ± 0.2`, `5.9` where the interval has no bounds, a dash where there is no number. */
export function percentInterval({ value, most }: { readonly value: number; readonly most: number }): string {
  if (Number.isNaN(value)) return '–';
  const number = (share: number): string => (100 * share).toFixed(1);
  return Number.isFinite(most) ? `${number(value)} ± ${number(most - value)}` : number(value);
}
