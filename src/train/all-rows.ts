import type { FiringSite } from '../nn/firing-site.ts';

/** What the units of a site did at the rows of a pass: rows × units, row-major. */
export interface SiteRows {
  readonly rows: number;
  /** 1 where h ≠ 0. */
  readonly open: Uint8Array;
  /** −∞ for rows that did not reach the site. */
  readonly logits: Float64Array;
}

/**
 * What a site last fired in this pass, at all rows that a gate could have picked for it: in a part behind gates, rows that did not open the part
 * have closed units. Undefined where no row reached the site.
 */
export function allRows({ last, units }: FiringSite): SiteRows | undefined {
  if (!last) return undefined;
  const { tape, plate, rows: picked, values } = last.h;
  const whole = plate && tape.plates.unpicked(plate);
  const rows = whole?.rows ?? picked;
  const rowOf = whole && whole !== plate ? tape.plates.ownerRows(plate, whole) : undefined;
  const given = last.logits.values;
  const open = new Uint8Array(rows * units);
  const logits = new Float64Array(rows * units).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < picked; i++) {
    const row = rowOf ? rowOf[i] : i;
    for (let unit = 0; unit < units; unit++) {
      open[row * units + unit] = Number(values[i * units + unit] !== 0);
      logits[row * units + unit] = given[i * units + unit];
    }
  }
  return { rows, open, logits };
}
