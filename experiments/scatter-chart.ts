/** Named points, in groups of one colour, on a logarithmic x axis, as SVG; a group may be joined by a line. */
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
  readonly yTicks: readonly number[];
}

const BOX = { width: 920, height: 500, left: 64, right: 30, top: 78, bottom: 48 };
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = ['#555555', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];

export function scatterChart({ title, xLabel, yLabel, groups, xTicks, yTicks }: ScatterChart): string {
  const points = groups.flatMap((group) => group.points);
  const inner = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };
  const bottom = BOX.height - BOX.bottom;
  const xs = [...points.map((point) => point.x), ...xTicks.map(({ at }) => at)].map(Math.log);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const ys = [...points.map((point) => point.y), ...yTicks];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const x = (value: number): number => BOX.left + (inner.width * (Math.log(value) - left)) / (right - left || 1);
  const y = (value: number): number => bottom - (inner.height * (value - low)) / (high - low || 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOX.width} ${BOX.height}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${BOX.width}" height="${BOX.height}" fill="#fff"/>
<text x="14" y="24" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="14" y="42" fill="#555">${escaped(yLabel)}</text>
<clipPath id="${idOf(title)}"><rect x="${BOX.left - 8}" y="${BOX.top - 8}" width="${inner.width + 16}" height="${inner.height + 16}"/></clipPath>
${groups.map(({ name }, i) => `<circle cx="${20 + i * 210}" cy="58" r="5" fill="${COLOURS[i]}"/><text x="${30 + i * 210}" y="62" fill="${COLOURS[i]}" font-weight="600">${escaped(name)}</text>`).join('')}
<path d="M${BOX.left},${BOX.top}V${bottom}H${BOX.left + inner.width}" stroke="#bbb" fill="none"/>
${yTicks.map((t) => `<path d="M${BOX.left},${y(t).toFixed(1)}h${inner.width}" stroke="#eee"/><text x="${BOX.left - 6}" y="${(y(t) + 4).toFixed(1)}" text-anchor="end" fill="#555">${t}</text>`).join('\n')}
${xTicks.map(({ at, text }) => `<text x="${x(at).toFixed(1)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${text}</text>`).join('\n')}
<text x="${BOX.left + inner.width / 2}" y="${bottom + 38}" text-anchor="middle" fill="#555">${escaped(xLabel)}</text>
<g clip-path="url(#${idOf(title)})">
${groups.map((group, i) => drawGroup(group, COLOURS[i], x, y)).join('\n')}
</g>
</svg>
`;
}

function drawGroup(
  { points, joined }: ScatterGroup,
  colour: string,
  x: (value: number) => number,
  y: (value: number) => number,
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
      return `${bar}<circle cx="${cx}" cy="${cy}" r="4.5" fill="${colour}"><title>${escaped(label)}</title></circle><text x="${(x(at) + 7).toFixed(1)}" y="${(y(value) - 6).toFixed(1)}" font-size="10" fill="${colour}">${escaped(label)}</text>`;
    }),
  ].join('');
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
