/** A picture of lines, as plain data: the worker makes it, `Lines.svelte` draws it. */
export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

/** How many lines stay apart by colour, dash and mark together. */
export const MOST_LINES = 6;
