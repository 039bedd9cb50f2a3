import type { FiringSite } from '../nn/firing-site.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * What the units of a site did at the rows of a pass: rows × units, row-major, made when it is asked for. These are functions, since an object
 * literal with accessors of its own has V8 make a hidden class for each object, which keeps the whole pass until the next full collection.
 */
export interface SiteRows {
  readonly rows: number;
  /** 1 where h ≠ 0. */
  open(): Uint8Array;
  /** −∞ for rows that did not reach the site. */
  logits(): Float64Array;
}

/**
 * What a site last fired in this pass, at all rows that a gate could have picked for it: in a part behind gates, rows that did not open the part
 * have closed units. Undefined where no row reached the site.
 */
export function allRows({ last, units }: FiringSite): SiteRows | undefined {
  if (!last) return undefined;
  const { h, logits } = last;
  const { tape, plate, rows: picked } = h;
  const whole = plate && tape.plates.unpicked(plate);
  const rows = whole?.rows ?? picked;
  const rowOf = whole && whole !== plate ? tape.plates.ownerRows(plate, whole) : undefined;
  /** Writes the values of the picked rows to their places. */
  const place = <T extends Uint8Array | Float64Array>(
    all: T,
    { values }: Tensor,
    tell: (value: number) => number,
  ): T => {
    for (let i = 0; i < picked; i++) {
      const [from, to] = [i * units, (rowOf ? rowOf[i] : i) * units];
      for (let unit = 0; unit < units; unit++) all[to + unit] = tell(values[from + unit]);
    }
    return all;
  };
  return {
    rows,
    open: () => place(new Uint8Array(rows * units), h, (value) => Number(value !== 0)),
    logits: () => place(new Float64Array(rows * units).fill(Number.NEGATIVE_INFINITY), logits, (value) => value),
  };
}
