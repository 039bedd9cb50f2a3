/** A share in [0, 1] in percent. */
export const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)}%`;

/** The same with one decimal under 10%, and none from there on. */
export const shortPercent = (share: number): string => percent(share, share < 0.0995 ? 1 : 0);
