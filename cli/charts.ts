import type { CrossoverCurve, Waterfall } from '../src/index.ts';

const PANEL = { width: 300, height: 230, left: 46, top: 44, right: 12, bottom: 64 };
const COLUMNS = 4;
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = {
  blocks: '#0072b2',
  gathered: '#009e73',
  dense: '#555555',
  ideal: '#999999',
  gater: '#e69f00',
  compaction: '#cc79a7',
  memory: '#56b4e9',
  uneven: '#d55e00',
};
const PARTS = ['ideal', 'gater', 'compaction', 'memory', 'uneven'] as const;

/** Time against density for every shape, against the dense path and the ideal, over the parts of the time at one density. */
export function crossoverChart(curves: readonly CrossoverCurve[], falls: readonly Waterfall[]): string {
  const columns = Math.min(COLUMNS, curves.length);
  const width = columns * PANEL.width + 20;
  const height = 70 + Math.ceil(curves.length / columns) * PANEL.height;
  const panels = curves.map((curve, i) => {
    const [x, y] = [10 + (i % columns) * PANEL.width, 60 + Math.floor(i / columns) * PANEL.height];
    return `<g transform="translate(${x},${y})">${panel(curve, falls[i])}</g>`;
  });
  const { rows, inputs } = curves[0];
  const withBlas = curves.some(({ points }) => points.some(({ gathered }) => gathered !== undefined));
  const title = 'When does skipping closed blocks pay?';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="14" y="24" font-size="17" font-weight="600">${title}</text>
<text x="14" y="44" fill="#555">milliseconds of a gated layer, forward and gradients, ${rows} examples of ${inputs} inputs, against the share of open blocks; ${legend(withBlas)}</text>
${panels.join('\n')}
</svg>
`;
}

function legend(withBlas: boolean): string {
  const item = (name: string, colour: string) => `<tspan fill="${colour}" font-weight="600">${name}</tspan>`;
  const byBlas = withBlas ? ` · ${item('the same by BLAS', COLOURS.gathered)}` : '';
  return `${item('open blocks alone', COLOURS.blocks)}${byBlas} · ${item('all blocks', COLOURS.dense)} · ${item('ideal', COLOURS.ideal)}`;
}

function panel({ units, size, points, crossover }: CrossoverCurve, fall: Waterfall | undefined): string {
  const innerWidth = PANEL.width - PANEL.left - PANEL.right;
  const innerHeight = PANEL.height - PANEL.top - PANEL.bottom;
  const dense = points.reduce((sum, point) => sum + point.dense, 0) / points.length;
  const most = Math.max(dense, ...points.map(({ blocks, gathered = 0 }) => Math.max(blocks, gathered))) * 1.05;
  const x = (density: number) => (PANEL.left + density * innerWidth).toFixed(1);
  const y = (ms: number) => (PANEL.top + innerHeight * (1 - ms / most)).toFixed(1);
  const line = (values: readonly (readonly [number, number])[], colour: string, dash = '') =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2"${dash && ` stroke-dasharray="${dash}"`} points="${values.map(([d, ms]) => `${x(d)},${y(ms)}`).join(' ')}"/>`;
  const byBlas = points.flatMap(({ density, gathered }) =>
    gathered === undefined ? [] : [[density, gathered] as const],
  );
  return [
    `<text x="${PANEL.left}" y="26" font-weight="600">${units} units in ${units / size} blocks of ${size}</text>`,
    `<text x="${PANEL.left}" y="39" fill="#555">${crossover === 1 ? 'pays at every density' : `pays up to ${(100 * crossover).toFixed(0)}% open`}</text>`,
    `<path d="M${x(0)},${y(0)}H${x(1)}M${x(0)},${y(0)}V${y(most)}" stroke="#bbb" fill="none"/>`,
    ...[0, 0.5, 1].map(
      (d) => `<text x="${x(d)}" y="${Number(y(0)) + 14}" text-anchor="middle" fill="#555">${100 * d}%</text>`,
    ),
    ...[most / 2, most].map(
      (ms) =>
        `<text x="${PANEL.left - 5}" y="${Number(y(ms)) + 4}" text-anchor="end" fill="#555">${ms.toFixed(ms < 10 ? 1 : 0)}</text>`,
    ),
    line(
      [
        [0, dense],
        [1, dense],
      ],
      COLOURS.dense,
      '2 3',
    ),
    line(
      [
        [0, 0],
        [1, dense],
      ],
      COLOURS.ideal,
      '5 4',
    ),
    line(
      points.map(({ density, blocks }) => [density, blocks] as const),
      COLOURS.blocks,
    ),
    byBlas.length > 0 ? line(byBlas, COLOURS.gathered) : '',
    fall ? bar(fall, innerWidth) : '',
  ].join('');
}

/** The parts of the time at one density as one bar; its whole length is the dense path's time. */
function bar(fall: Waterfall, width: number): string {
  const scale = width / Math.max(fall.dense, fall.measured);
  const top = PANEL.height - 34;
  let at = PANEL.left;
  const rects = PARTS.map((part) => {
    const length = Math.max(0, fall[part]) * scale;
    const rect = `<rect x="${at.toFixed(1)}" y="${top}" width="${length.toFixed(1)}" height="10" fill="${COLOURS[part]}"><title>${part}: ${fall[part].toFixed(2)} ms</title></rect>`;
    at += length;
    return rect;
  });
  const outline = `<rect x="${PANEL.left}" y="${top}" width="${(fall.dense * scale).toFixed(1)}" height="10" fill="none" stroke="#555"/>`;
  const names = PARTS.map((part) => `<tspan fill="${COLOURS[part]}" font-weight="600">${part}</tspan>`).join(' ');
  const label = `<text x="${PANEL.left}" y="${top + 22}" font-size="9">${(100 * fall.density).toFixed(0)}% open: ${names}</text>`;
  return [...rects, outline, label].join('');
}
