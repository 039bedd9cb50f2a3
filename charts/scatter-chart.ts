/** Named points, in groups of one colour, on logarithmic axes, as SVG; a group may be joined by a line. */
import { axisX, axisY, dot, frame, gridY, line as joined, type PlotOptions, ruleX, scale } from '@observablehq/plot';
import { chart, element, figure, GRID, INK, line, SOFT } from './figure.ts';
import { CENTRED, spanOf } from './line-chart.ts';

export interface ScatterGroup {
  readonly name: string;
  readonly joined?: true;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    /** Half the height of the interval around y. */
    readonly half?: number;
    readonly label: string;
  }[];
}

export interface ScatterChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly groups: readonly ScatterGroup[];
  readonly xTicks: readonly { readonly at: number; readonly text: string }[];
  /** Greater than 0; what lies under the least of them is drawn there. */
  readonly yTicks: readonly number[];
}

const BOX = { width: 920, height: 500, left: 64, right: 60, bottom: 48 };
const { grey, blue, vermilion, green, purple, orange, sky, pale, black } = INK;
const COLOURS = [grey, blue, vermilion, green, purple, orange, sky, pale, black];
/** The key of the groups: names in a line, height of a line, and where the first begins, in pixels. It has room for two lines at least. */
const [NAMES, KEY_LINE, KEY_TOP] = [4, 17, 60];
/** Width of a letter of a point's name, about, and height of its line. */
const LETTER = 5.4;
const LINE = 10;

/** @returns the SVG's text; the names of points lie beside them where there is room */
export function scatterChart({ title, xLabel, yLabel, groups, xTicks, yTicks }: ScatterChart): string {
  const floor = Math.min(...yTicks);
  const top = KEY_TOP + KEY_LINE * Math.max(2, Math.ceil(groups.length / NAMES));
  const points = groups.flatMap((group, i) =>
    group.points.map(({ x, y, half = 0, label }) => ({
      ...{ x, y: Math.max(y, floor), low: Math.max(y - half, floor), high: Math.max(y + half, floor) },
      ...{ label, colour: COLOURS[i % COLOURS.length] },
    })),
  );
  const x = {
    type: 'log',
    domain: spanOf([...points.map((point) => point.x), ...xTicks.map(({ at }) => at)]),
    range: [BOX.left, BOX.width - BOX.right],
  } as const;
  const y = {
    type: 'log',
    domain: spanOf([...points.map((point) => point.y), ...yTicks]),
    range: [BOX.height - BOX.bottom, top],
    label: null,
  } as const;
  const [across, up] = [scale({ x }), scale({ y })];
  const options: PlotOptions = {
    ...{ width: BOX.width, height: BOX.height },
    ...{ marginLeft: BOX.left, marginRight: BOX.right, marginTop: top, marginBottom: BOX.bottom },
    ...{ x, y, marks: marksOf({ groups, xLabel, xTicks, yTicks }, points, floor), color: { type: 'identity' } },
  };
  const centres = points.map((point) => [across.apply(point.x), up.apply(point.y)] as const);
  const place = namesApart(centres);
  const names = points.map(({ label, colour }, i) => {
    const [left, base] = place(...centres[i], label);
    return line(left, base, label, { font_size: 10, fill: colour });
  });
  return figure({ title, width: BOX.width, height: BOX.height }, [
    line(14, 42, yLabel, { fill: SOFT }),
    ...groups.flatMap(keyOf),
    chart(options),
    ...names,
  ]);
}

/** A point as it is drawn: its place and interval above the floor, and its group's colour. */
interface Drawn {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly label: string;
  readonly colour: string;
}

/** Axes, lines of joined groups, intervals and points, in the order in which they lie upon each other. */
function marksOf(
  { groups, xLabel, xTicks, yTicks }: Pick<ScatterChart, 'groups' | 'xLabel' | 'xTicks' | 'yTicks'>,
  points: readonly Drawn[],
  floor: number,
): NonNullable<PlotOptions['marks']> {
  const texts = new Map(xTicks.map(({ at, text }) => [at, text]));
  return [
    gridY(yTicks, { stroke: GRID, strokeOpacity: 1 }),
    frame({ anchor: 'left', stroke: '#bbb' }),
    frame({ anchor: 'bottom', stroke: '#bbb' }),
    axisY(yTicks, { tickSize: 0, tickFormat: String, fill: SOFT }),
    axisX([...texts.keys()], {
      ...{ tickSize: 0, tickFormat: (at: number) => texts.get(at) ?? '', fill: SOFT, label: xLabel },
      ...CENTRED,
    }),
    ...groups.flatMap((group, i) =>
      group.joined
        ? [
            joined(
              group.points.toSorted((a, b) => a.x - b.x).map((point) => ({ ...point, y: Math.max(point.y, floor) })),
              { x: 'x', y: 'y', z: null, stroke: COLOURS[i % COLOURS.length], strokeWidth: 1.5 },
            ),
          ]
        : [],
    ),
    ruleX(
      points.filter(({ low, high }) => high > low),
      { x: 'x', y1: 'low', y2: 'high', stroke: 'colour', strokeOpacity: 0.4 },
    ),
    dot(points, { x: 'x', y: 'y', r: 4.5, fill: 'colour', title: 'label' }),
  ];
}

function keyOf({ name }: ScatterGroup, index: number): Element[] {
  const [x, y] = [20 + (index % NAMES) * 220, KEY_TOP - 2 + KEY_LINE * Math.floor(index / NAMES)];
  const fill = COLOURS[index % COLOURS.length];
  return [element('circle', { cx: x, cy: y, r: 5, fill }), line(x + 10, y + 4, name, { fill, font_weight: 600 })];
}

type Place = (x: number, y: number, name: string) => readonly [left: number, base: number];

/** Finds a place for the name of each point, beside it, where no earlier name and no point is; over all others where there is none. */
function namesApart(points: readonly (readonly [number, number])[]): Place {
  const taken = points.map(([x, y]) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  return (x, y, name) => {
    const width = LETTER * name.length;
    const offsets = [0, 1, 2, 3, 4].flatMap((at) => [
      [7, -6 - at * LINE],
      [7, 14 + at * LINE],
      [-7 - width, -6 - at * LINE],
      [-7 - width, 14 + at * LINE],
    ]);
    const boxes = offsets.map(([dx, dy]) => ({
      left: x + dx,
      right: x + dx + width,
      top: y + dy - LINE + 1,
      bottom: y + dy + 1,
    }));
    const free = boxes.find(
      (box) =>
        box.left > BOX.left &&
        box.right < BOX.width &&
        box.bottom < BOX.height - BOX.bottom &&
        taken.every(
          (other) =>
            box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom,
        ),
    );
    const box = free ?? boxes[0];
    taken.push(box);
    return [box.left, box.bottom - 1];
  };
}
