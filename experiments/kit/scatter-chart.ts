/** Named points, in groups of one colour, on logarithmic axes, as SVG; a group may be joined by a line. */
import { idOf } from './line-chart.ts';

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

const BOX = { width: 920, height: 500, left: 64, right: 60, top: 94, bottom: 48 };
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = ['#555555', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];
/** Width of a letter of a point's name, about, and height of its line. */
const LETTER = 5.4;
const LINE = 10;

export function scatterChart({ title, xLabel, yLabel, groups, xTicks, yTicks }: ScatterChart): string {
  const points = groups.flatMap((group) => group.points);
  const inner = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };
  const bottom = BOX.height - BOX.bottom;
  const xs = [...points.map((point) => point.x), ...xTicks.map(({ at }) => at)].map(Math.log);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const floor = Math.min(...yTicks);
  const log = (value: number): number => Math.log(Math.max(value, floor));
  const ys = [...points.map((point) => point.y), ...yTicks].map(log);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const x = (value: number): number => BOX.left + (inner.width * (Math.log(value) - left)) / (right - left || 1);
  const y = (value: number): number => bottom - (inner.height * (log(value) - low)) / (high - low || 1);
  const place = namesApart(points.map((point) => [x(point.x), y(point.y)]));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOX.width} ${BOX.height}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${BOX.width}" height="${BOX.height}" fill="#fff"/>
<text x="14" y="24" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="14" y="42" fill="#555">${escaped(yLabel)}</text>
<clipPath id="${idOf(title)}"><rect x="${BOX.left - 8}" y="${BOX.top - 8}" width="${inner.width + BOX.right}" height="${inner.height + 16}"/></clipPath>
${groups.map(drawKey).join('')}
<path d="M${BOX.left},${BOX.top}V${bottom}H${BOX.left + inner.width}" stroke="#bbb" fill="none"/>
${yTicks.map((t) => `<path d="M${BOX.left},${y(t).toFixed(1)}h${inner.width}" stroke="#eee"/><text x="${BOX.left - 6}" y="${(y(t) + 4).toFixed(1)}" text-anchor="end" fill="#555">${t}</text>`).join('\n')}
${xTicks.map(({ at, text }) => `<text x="${x(at).toFixed(1)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${text}</text>`).join('\n')}
<text x="${BOX.left + inner.width / 2}" y="${bottom + 38}" text-anchor="middle" fill="#555">${escaped(xLabel)}</text>
<g clip-path="url(#${idOf(title)})">
${groups.map((group, i) => drawGroup(group, COLOURS[i], { x, y, place })).join('\n')}
</g>
</svg>
`;
}

/** Names of groups, four a line. */
function drawKey({ name }: ScatterGroup, index: number): string {
  const [x, y] = [20 + (index % 4) * 220, 58 + 17 * Math.floor(index / 4)];
  return `<circle cx="${x}" cy="${y}" r="5" fill="${COLOURS[index]}"/><text x="${x + 10}" y="${y + 4}" fill="${COLOURS[index]}" font-weight="600">${escaped(name)}</text>`;
}

type Place = (x: number, y: number, name: string) => readonly [left: number, base: number];

/** Finds a place for the name of each point, beside it, where no earlier name and no point is; over all others where there is none. */
function namesApart(points: readonly (readonly [number, number])[]): Place {
  const taken = points.map(([x, y]) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  return (x, y, name) => {
    const width = LETTER * name.length;
    const offsets = [0, 1, 2, 3, 4].flatMap((line) => [
      [7, -6 - line * LINE],
      [7, 14 + line * LINE],
      [-7 - width, -6 - line * LINE],
      [-7 - width, 14 + line * LINE],
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

function drawGroup(
  { points, joined }: ScatterGroup,
  colour: string,
  { x, y, place }: { x: (value: number) => number; y: (value: number) => number; place: Place },
): string {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const line = sorted.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
  return [
    joined ? `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="1.5"/>` : '',
    ...sorted.map(({ x: at, y: value, half = 0, label }) => {
      const [cx, cy] = [x(at).toFixed(1), y(value).toFixed(1)];
      const bar =
        half > 0
          ? `<path d="M${cx},${y(value - half).toFixed(1)}V${y(value + half).toFixed(1)}" stroke="${colour}" stroke-opacity="0.4"/>`
          : '';
      const [left, base] = place(x(at), y(value), label);
      return `${bar}<circle cx="${cx}" cy="${cy}" r="4.5" fill="${colour}"><title>${escaped(label)}</title></circle><text x="${left.toFixed(1)}" y="${base.toFixed(1)}" font-size="10" fill="${colour}">${escaped(label)}</text>`;
    }),
  ].join('');
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
