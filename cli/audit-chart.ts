import type { SiteAudit } from '../src/index.ts';
import type { AuditRow } from './audit-row.ts';

const SIZE = { width: 940, height: 560, left: 76, top: 74, right: 300, bottom: 58 };
/** Of a point, and of a line of the legend. */
const RADIUS = 7;
const LINE = 17;
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = { unbiased: '#0072b2', biased: '#d55e00' };
/** Variances under this, relative to the most, are drawn on the floor. */
const FLOOR = 1e-6;

/** A neuron as the picture shows it. */
export interface ChartPoint {
  readonly neuron: string;
  readonly evaluations: number;
  /** Over |∇|². */
  readonly variance: number;
  readonly biased: boolean;
}

/** What was measured on a small problem, of the units that are bits. */
export function problemPoints(rows: readonly AuditRow[]): ChartPoint[] {
  const bits = rows.filter(({ unit }) => unit === 'bits');
  return (bits.length > 0 ? bits : rows).map(({ neuron, evaluations, totalVariance, truth, verdicts }) => {
    const size = Math.hypot(...truth);
    return {
      neuron,
      evaluations,
      variance: totalVariance / size ** 2,
      biased: verdicts.some(({ claim, verdict }) => claim === 'biased' && verdict !== 'refuted'),
    };
  });
}

/** What was measured on a network. */
export function sitePoints(rows: readonly SiteAudit[]): ChartPoint[] {
  return rows.map(({ neuron, evaluations, variance, verdict }) => {
    return { neuron, evaluations, variance, biased: verdict.claim === 'biased' };
  });
}

/** Variance of one gradient against the evaluations of the loss that it takes, on logarithmic axes. @param where it was measured */
export function varianceChart(drawn: readonly ChartPoint[], where: string): string {
  const finite = drawn.filter(({ variance }) => Number.isFinite(variance));
  const most = Math.max(1e-9, ...finite.map(({ variance }) => variance));
  const positive = finite.map(({ variance }) => variance).filter((variance) => variance > FLOOR * most);
  const least = Math.min(most, ...positive) / 4;
  const widest = Math.max(2, ...finite.map(({ evaluations }) => evaluations));
  const innerWidth = SIZE.width - SIZE.left - SIZE.right;
  const height = Math.max(SIZE.height, SIZE.top + LINE * finite.length + 10);
  const innerHeight = height - SIZE.top - SIZE.bottom;
  const x = (evaluations: number) => SIZE.left + 14 + (Math.log(evaluations) / Math.log(widest)) * (innerWidth - 28);
  const span = Math.log((2 * most) / least);
  const y = (variance: number) => SIZE.top + innerHeight * (1 - Math.log(Math.max(least, variance) / least) / span);
  const places: { x: number; y: number }[] = [];
  const points = [...finite]
    .sort((a, b) => a.variance - b.variance || a.evaluations - b.evaluations)
    .map(({ neuron, evaluations, variance, biased }, i) => {
      const at = { x: x(evaluations), y: y(variance) };
      // Points that would hide another stand beside it.
      while (places.some((place) => Math.hypot(place.x - at.x, place.y - at.y) < 2 * RADIUS)) at.x += 2;
      places.push(at);
      const colour = biased ? COLOURS.biased : COLOURS.unbiased;
      const facts = `${neuron}: variance ${variance.toPrecision(3)}·|∇|², ${evaluations} evaluation${evaluations === 1 ? '' : 's'}`;
      const [line, left] = [SIZE.top + 4 + LINE * i, SIZE.left + innerWidth + 40];
      const disc = (cx: number, cy: number) =>
        `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="${RADIUS}" stroke="${colour}" stroke-width="1.6" fill="${biased ? '#fff' : colour}"/><text x="${cx.toFixed(1)}" y="${(cy + 3).toFixed(1)}" font-size="8.5" text-anchor="middle" fill="${biased ? colour : '#fff'}">${i + 1}</text>`;
      const label = `<text x="${left + 14}" y="${line + 3.5}" font-size="10">${escaped(neuron)}${variance < least ? ' (variance 0)' : ''}</text>`;
      return `<g><title>${escaped(facts)}</title>${disc(at.x, at.y)}${disc(left, line)}${label}</g>`;
    });
  const bottom = SIZE.top + innerHeight;
  const ticks = powers(least, 2 * most, 10).map(
    (value) =>
      `<path d="M${SIZE.left},${y(value).toFixed(1)}h${innerWidth}" stroke="#eee"/><text x="${SIZE.left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end" fill="#555">${value >= 0.001 && value < 1e4 ? value : value.toExponential(0)}</text>`,
  );
  const columns = powers(1, widest, 2).map(
    (value) =>
      `<path d="M${x(value).toFixed(1)},${bottom}v4" stroke="#bbb"/><text x="${x(value).toFixed(1)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${value}</text>`,
  );
  // Averaging over as many evaluations as it saves is worth as much: lines of equal compute fall by 1 for 1.
  const guide = `M${x(1).toFixed(1)},${y(most).toFixed(1)}L${x(widest).toFixed(1)},${y(most / widest).toFixed(1)}`;
  const title = 'What does a gradient cost, and how noisy is it?';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222" role="img" aria-label="${title}">
<rect width="${SIZE.width}" height="${height}" fill="#fff"/>
<text x="14" y="26" font-size="17" font-weight="600">${title}</text>
<text x="14" y="46" fill="#555">variance of one gradient over |∇|² (${escaped(where)}); <tspan fill="${COLOURS.unbiased}" font-weight="600">● unbiased</tspan> · <tspan fill="${COLOURS.biased}" font-weight="600">○ biased</tspan> · dashes: the same at equal compute</text>
<path d="M${SIZE.left},${SIZE.top}V${bottom}H${SIZE.left + innerWidth}" stroke="#bbb" fill="none"/>
${ticks.join('')}
${columns.join('')}
<text x="${SIZE.left + innerWidth / 2}" y="${bottom + 38}" text-anchor="middle">evaluations of the loss for one gradient</text>
<path d="${guide}" stroke="#999" stroke-dasharray="4 4" fill="none"/>
${points.join('\n')}
</svg>
`;
}

/** The powers of a base from `from` to `to`. */
function powers(from: number, to: number, base: number): number[] {
  const first = Math.ceil(Math.log(from) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(to) / Math.log(base) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number((base ** (first + i)).toPrecision(6)));
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
