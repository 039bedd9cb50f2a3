import type { EpochEvent, MetricsLine, RunRecord, VaeEpochEvent } from '../src/index.ts';

const PANEL = { width: 340, height: 230, left: 52, top: 40, right: 14, bottom: 34 };
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = { train: '#0072b2', valid: '#d55e00', dead: '#555555', most: '#56b4e9' };

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly number[];
}

/** Losses, errors, and how often the gates of every site opened, epoch by epoch. */
export function curvesChart(lines: readonly MetricsLine[], { config, seed, data }: RunRecord): string {
  const epochs = lines.filter((line): line is MetricsLine & EpochEvent => line.event === 'epoch');
  const of = (name: string, colour: string, value: (epoch: EpochEvent) => number): Curve => ({
    name,
    colour,
    values: epochs.map(value),
  });
  const sites = epochs[0]?.health ?? [];
  const panels: [string, readonly Curve[]][] = [
    [
      'cross-entropy, nats',
      [
        of('training', COLOURS.train, ({ trainLoss }) => trainLoss),
        of('validation', COLOURS.valid, ({ validLoss }) => validLoss),
      ],
    ],
    [
      'error, %',
      [
        of('training', COLOURS.train, ({ trainError }) => 100 * trainError),
        of('validation', COLOURS.valid, ({ validError }) => 100 * validError),
      ],
    ],
    ...sites.map(({ site, units }, i): [string, Curve[]] => [
      `${site}: open while training, %`,
      [
        of('mean', COLOURS.train, ({ health }) => 100 * health[i].rate),
        of('most open', COLOURS.most, ({ health }) => 100 * health[i].spread.most),
        of(`dead, of ${units}`, COLOURS.dead, ({ health }) => (100 * health[i].dead) / units),
      ],
    ]),
  ];
  return drawPanels(`${data.name}, ${config.neuron ?? ''}, seed ${seed}`, panels);
}

/** −ELBO, and how often the latents were on, epoch by epoch. */
export function vaeCurvesChart(epochs: readonly VaeEpochEvent[], title: string): string {
  const of = (name: string, colour: string, value: (epoch: VaeEpochEvent) => number): Curve => ({
    name,
    colour,
    values: epochs.map(value),
  });
  return drawPanels(title, [
    [
      '−ELBO, nats',
      [
        of('training', COLOURS.train, ({ trainLoss }) => trainLoss),
        of('validation', COLOURS.valid, ({ validElbo }) => -validElbo),
      ],
    ],
    ...(epochs[0]?.health ?? []).map(({ site }, i): [string, Curve[]] => [
      `${site}: on while training, %`,
      [of('mean', COLOURS.train, ({ health }) => 100 * health[i].rate)],
    ]),
  ]);
}

function drawPanels(title: string, panels: readonly (readonly [string, readonly Curve[]])[]): string {
  const columns = Math.min(3, panels.length);
  const width = columns * PANEL.width + 20;
  const height = 56 + Math.ceil(panels.length / columns) * PANEL.height;
  const drawn = panels.map(([name, curves], i) => {
    const [x, y] = [10 + (i % columns) * PANEL.width, 46 + Math.floor(i / columns) * PANEL.height];
    return `<g transform="translate(${x},${y})">${panel(name, curves)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="14" y="26" font-size="16" font-weight="600">${escaped(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

function panel(name: string, curves: readonly Curve[]): string {
  const innerWidth = PANEL.width - PANEL.left - PANEL.right;
  const innerHeight = PANEL.height - PANEL.top - PANEL.bottom;
  const last = Math.max(1, ...curves.map(({ values }) => values.length));
  const most = Math.max(1e-9, ...curves.flatMap(({ values }) => values)) * 1.05;
  const x = (epoch: number) => (PANEL.left + (last === 1 ? 0.5 : (epoch - 1) / (last - 1)) * innerWidth).toFixed(1);
  const y = (value: number) => (PANEL.top + innerHeight * (1 - value / most)).toFixed(1);
  const lines = curves.map(({ values, colour, name: label }) => {
    const points = values.map((value, i) => `${x(i + 1)},${y(value)}`).join(' ');
    const dots = values.length === 1 ? `<circle cx="${x(1)}" cy="${y(values[0])}" r="3" fill="${colour}"/>` : '';
    return `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points}"><title>${escaped(label)}</title></polyline>${dots}`;
  });
  const legend = curves
    .map(({ name: label, colour }) => `<tspan fill="${colour}" font-weight="600">${escaped(label)}</tspan>`)
    .join(' · ');
  const bottom = Number(y(0));
  return [
    `<text x="${PANEL.left}" y="16" font-weight="600">${escaped(name)}</text>`,
    `<text x="${PANEL.left}" y="31">${legend}</text>`,
    `<path d="M${PANEL.left},${PANEL.top}V${bottom}H${PANEL.width - PANEL.right}" stroke="#bbb" fill="none"/>`,
    ...[0, most / 2, most].map(
      (value) =>
        `<text x="${PANEL.left - 5}" y="${Number(y(value)) + 4}" text-anchor="end" fill="#555">${tick(value)}</text>`,
    ),
    ...[...new Set([1, last])].map(
      (epoch) => `<text x="${x(epoch)}" y="${bottom + 15}" text-anchor="middle" fill="#555">epoch ${epoch}</text>`,
    ),
    ...lines,
  ].join('');
}

const tick = (value: number): string => String(Number(value.toPrecision(2)));

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
