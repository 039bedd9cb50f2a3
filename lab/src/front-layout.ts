/** Pixels from the figure's top left. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything of the front page's figure stands. */
export interface FrontLayout {
  readonly wide: boolean;
  readonly width: number;
  readonly height: number;
  readonly digit: Place;
  readonly gater: Place;
  readonly blocks: readonly Place[];
  readonly answers: Place;
}

/** From this width on, everything stands side by side. */
const WIDE = 900;
/** Blocks in a row. */
export const COLUMNS = 8;

/** The room between blocks, in which wires run: those from the gater on the one side of it, those to the answer on the other. */
const [GAP, NARROW_GAP] = [12, 6];

/** Left to right where there is room, else top to bottom. @param width of the figure, in pixels */
export function layoutOf(width: number, blocks: number): FrontLayout {
  const rows = Math.ceil(blocks / COLUMNS);
  const grid = (left: number, top: number, pitch: number, gap: number): Place[] =>
    Array.from({ length: blocks }, (_, i) => ({
      x: left + pitch * (i % COLUMNS),
      y: top + pitch * Math.floor(i / COLUMNS),
      width: pitch - gap,
      height: pitch - gap,
    }));
  if (width < WIDE) {
    const pitch = width / COLUMNS;
    const top = 156;
    const bottom = top + rows * pitch;
    return {
      wide: false,
      width,
      height: bottom + 132,
      digit: { x: 0, y: 0, width: 112, height: 112 },
      gater: { x: 150, y: 22, width: width - 150, height: 90 },
      blocks: grid(NARROW_GAP / 2, top, pitch, NARROW_GAP),
      answers: { x: 0, y: bottom + 34, width, height: 98 },
    };
  }
  const height = 372;
  const [left, right] = [176 + 56 + 96 + 72, 56 + 190];
  const pitch = Math.min((width - left - right) / COLUMNS, (height - 44) / rows);
  const blocksWidth = COLUMNS * pitch;
  const free = width - left - right - blocksWidth;
  const middle = height / 2;
  return {
    wide: true,
    width,
    height,
    digit: { x: 0, y: middle - 88, width: 176, height: 176 },
    gater: { x: 232 + free / 4, y: 40, width: 96, height: height - 80 },
    blocks: grid(left + free / 2, middle - (rows * pitch) / 2 + 14, pitch, GAP),
    answers: { x: width - 190, y: 40, width: 190, height: height - 80 },
  };
}

/** Where the blocks end: the last row may be a short one. */
export const rightOf = ({ blocks }: FrontLayout): number => Math.max(...blocks.map(({ x, width }) => x + width));

/** The wire from a place of the gater to a block, along the room beside it. */
export function gateWire({ wide, blocks }: FrontLayout, from: readonly [number, number], block: number): string {
  const { x, y, width: side } = blocks[block];
  if (wide) {
    const [left, lane] = [blocks[0].x - GAP, y - GAP / 3];
    return `${wire(from, [left, lane], true)}H${x + side / 2 - 6}q6,0 6,6V${y + 2}`;
  }
  const [top, lane] = [blocks[0].y - NARROW_GAP, x - NARROW_GAP / 3];
  return `${wire(from, [lane, top], false)}V${y + side / 2}H${x + 2}`;
}

/** The wire from a block to the answer. */
export function answerWire(layout: FrontLayout, block: number, to: readonly [number, number]): string {
  const { wide, blocks } = layout;
  const { x, y, width: side } = blocks[block];
  const last = blocks[blocks.length - 1];
  if (wide) {
    const [right, lane] = [rightOf(layout) + GAP, y + side + GAP / 3];
    return `M${x + side / 2},${y + side}V${lane - 3}q0,3 3,3H${right}${wire([right, lane], to, true).replace('M', 'L')}`;
  }
  const [bottom, lane] = [last.y + side + NARROW_GAP, x + side + NARROW_GAP / 3];
  return `M${x + side},${y + side / 2}H${lane}V${bottom}${wire([lane, bottom], to, false).replace('M', 'L')}`;
}

/** A wire from one point to another: level at both ends, or upright where the figure stands upright. */
export function wire(from: readonly [number, number], to: readonly [number, number], wide: boolean): string {
  const [[x, y], [X, Y]] = [from, to];
  const half = wide ? (x + X) / 2 : (y + Y) / 2;
  return wide ? `M${x},${y}C${half},${y} ${half},${Y} ${X},${Y}` : `M${x},${y}C${x},${half} ${X},${half} ${X},${Y}`;
}
