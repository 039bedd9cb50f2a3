/** Pictures of any numbers and names are whole SVG, say the numbers that they were given, and do not depend on what was drawn before. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellChart } from '../../charts/cell-chart.ts';
import { intervalChart, ratioChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import { drawPanels, type Panel } from '../../charts/panels.ts';
import { scatterChart } from '../../charts/scatter-chart.ts';
import { heightsOf, parsePicture, readPanel, textsOf } from '../helpers/picture.ts';

const HOSTILE = 'a <b> & "c" \u001b[2J\u0000 d';
const KEPT = 'a <b> & "c" [2J d';

const pictures: Readonly<Record<string, (name: string) => string>> = {
  panels: (name) =>
    drawPanels(name, [
      { title: name, xTick: () => name, curves: [{ name, colour: '#0072b2', points: [{ x: 1, y: 2 }] }] },
    ]),
  'lines at their ends': (name) =>
    lineChart({
      ...{ title: name, xLabel: name, yLabel: name, xTicks: [1], yTicks: [1, 2] },
      series: [{ name, points: [{ x: 1, y: 1 }] }],
    }),
  intervals: (name) =>
    intervalChart({
      title: name,
      xLabel: name,
      rows: [{ name, measured: { mean: 1, half: Number.NaN } }],
      ticks: [1],
      nameOf: () => name,
    }),
  cells: (name) => cellChart({ title: name, subtitle: name, rows: [name], shares: [0, 1], notes: [name] }),
  points: (name) =>
    scatterChart({
      ...{ title: name, xLabel: name, yLabel: name, xTicks: [{ at: 1, text: name }], yTicks: [1, 10] },
      groups: [{ name, points: [{ x: 1, y: 0, label: name }] }],
    }),
};

describe('pictures', () => {
  for (const [what, draw] of Object.entries(pictures))
    it(`${what}: names of any letters are shown as they are, without commands to a terminal`, () => {
      const svg = draw(HOSTILE);
      const texts = textsOf(svg);
      // Title, name and tick, at least.
      assert.ok(texts.filter((text) => text.replace(/ [→↑]|[↑] /g, '').includes(KEPT)).length >= 3, texts.join('|'));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(svg.trimEnd(), /[\u0000-\u001f]/);
    });

  it('are the same bits whatever was drawn before them, and two on one page clip apart', () => {
    const series = [
      {
        name: 's',
        points: [
          { x: 1, y: 1 },
          { x: 2, y: 30 },
        ],
      },
    ];
    const draw = (title: string) =>
      lineChart({ title, xLabel: 'x', yLabel: 'y', series, xTicks: [1, 2], yTicks: [1, 2], most: 2 });
    const first = draw('one');
    const other = draw('two');
    assert.equal(draw('one'), first);
    const clips = (svg: string): string[] => [...svg.matchAll(/clipPath id="([^"]+)"/g)].map(([, id]) => id);
    assert.ok(clips(first).length > 0);
    assert.deepEqual(new Set([...clips(first), ...clips(other)]).size, clips(first).length + clips(other).length);
    for (const id of clips(first)) assert.ok(first.includes(`url(#${id})`), id);
  });
});

const panel = (points: readonly { x: number; y: number }[], rest: Partial<Panel> = {}): Panel => ({
  ...{ title: 'p', xTick: String, curves: [{ name: 'c', colour: '#0072b2', points }] },
  ...rest,
});

describe('a panel', () => {
  it('has lines at the heights of their numbers, by its own axis', () => {
    const values = [3, -1, 0.5, 7.25];
    const svg = drawPanels('t', [panel(values.map((y, x) => ({ x, y })))]);
    const [line] = heightsOf(svg, 'p');
    line.forEach((height, i) => {
      assert.ok(Math.abs(height - values[i]) < 0.05, `${height} ${values[i]}`);
    });
  });

  it('with a logarithmic axis leaves out what is not over 0, and all others leave out what is not finite', () => {
    const points = [0, 1, -3, 100].map((y, x) => ({ x, y }));
    assert.equal(readPanel(drawPanels('t', [panel(points, { log: true })])).lines[0].points.length, 2);
    const odd = [1, Number.NaN, Number.POSITIVE_INFINITY, 2].map((y, x) => ({ x, y }));
    assert.equal(readPanel(drawPanels('t', [panel(odd)])).lines[0].points.length, 2);
  });

  it('of no point and of one point are drawn', () => {
    for (const log of [{}, { log: true as const }]) {
      assert.equal(readPanel(drawPanels('t', [panel([], log)])).lines.length, 0);
      assert.equal(readPanel(drawPanels('t', [panel([{ x: 3, y: 5 }], log)])).lines.length, 1);
    }
    parsePicture(drawPanels('t', []));
  });

  it('has names that are too long for one line on several', () => {
    const curves = Array.from({ length: 6 }, (_, i) => ({ name: `a long name ${i}`, colour: '#000', points: [] }));
    const svg = drawPanels('t', [panel([], { curves })]);
    const named = textsOf(svg).filter((text) => text.includes('a long name'));
    assert.ok(named.length > 1 && named.every((text) => text.length < 60), named.join('|'));
    for (const { name } of curves)
      assert.ok(
        named.some((text) => text.includes(name)),
        name,
      );
  });
});

describe('intervals', () => {
  it('of one name twice are two rows, and equal values are drawn', () => {
    const row = { name: 'same', measured: { mean: 1, half: 0 } };
    const svg = intervalChart({ title: 't', xLabel: 'x', rows: [row, row], ticks: [1] });
    assert.equal(textsOf(svg).filter((text) => text === 'same').length, 2);
  });

  it('of ratios have ticks that do not crowd, with 1 among them', () => {
    for (const reach of [0.01, 0.2, 1, 3]) {
      const rows = [{ name: 'a', measured: { mean: 0, half: reach } }];
      const ticks = textsOf(ratioChart({ title: 't', xLabel: 'x', rows })).filter((text) => text.startsWith('× '));
      assert.ok(ticks.includes('× 1') && ticks.length <= 13, ticks.join(' '));
    }
  });
});

it('names of points lie on no other name while there is room', () => {
  const points = Array.from({ length: 12 }, (_, i) => ({ x: 1 + i / 50, y: 2 + i / 50, label: `name ${i}` }));
  const svg = scatterChart({
    ...{ title: 't', xLabel: 'x', yLabel: 'y', yTicks: [1, 10], groups: [{ name: 'g', points }] },
    xTicks: [
      { at: 1, text: '1' },
      { at: 10, text: '10' },
    ],
  });
  const boxes = [...parsePicture(svg).querySelectorAll('text[font-size="10"]')].map((text) => {
    const [x, y] = ['x', 'y'].map((name) => Number(text.getAttribute(name)));
    return { x, y, right: x + 5.4 * (text.textContent ?? '').length };
  });
  assert.equal(boxes.length, points.length);
  for (const [i, a] of boxes.entries())
    for (const b of boxes.slice(i + 1))
      assert.ok(a.right < b.x + 0.2 || b.right < a.x + 0.2 || Math.abs(a.y - b.y) > 8.8, JSON.stringify([a, b]));
});

it('nine groups of points have nine colours, and the key stands above the chart', () => {
  const groups = Array.from({ length: 9 }, (_, i) => ({
    name: `group ${i}`,
    points: [{ x: 1 + i, y: 1 + i, label: `at ${i}` }],
  }));
  const text = scatterChart({
    ...{ title: 'Many', xLabel: 'x', yLabel: 'y', groups },
    ...{ xTicks: [{ at: 1, text: '1' }], yTicks: [1, 10] },
  });
  const dots = [...text.matchAll(/<circle[^>]*>/g)].map(([dot]) => dot);
  const fills = dots.flatMap((dot) => /fill="(#[0-9a-f]{6})"/.exec(dot)?.[1] ?? []);
  assert.equal(new Set(fills).size, 9);
  const keys = dots.slice(0, 9).map((dot) => Number(/cy="([\d.]+)"/.exec(dot)?.[1]));
  const gridTop = Math.min(...[...text.matchAll(/<line[^>]* y1="([\d.]+)"/g)].map(([, y]) => Number(y)));
  assert.ok(Math.max(...keys) + 5 < gridTop, `${keys} ${gridTop}`);
});

it('cells stand row by row, and are as dark as their shares; rows of different lengths are refused', () => {
  const given = { title: 'Shares', subtitle: '', rows: ['a', 'b'], notes: [] };
  const cells = [...parsePicture(cellChart({ ...given, shares: [0, 0.5, 1, 0.25] })).querySelectorAll('rect[rx]')];
  const dark = cells.map((cell) => ({
    ...{ x: Number(cell.getAttribute('x')), y: Number(cell.getAttribute('y')) },
    share: (Number(cell.getAttribute('fill-opacity')) - 0.04) / 0.96,
  }));
  assert.deepEqual(
    dark.map(({ share }) => Number(share.toFixed(6))),
    [0, 0.5, 1, 0.25],
  );
  const [first, second, third, fourth] = dark;
  assert.ok(first.x < second.x && first.x === third.x && second.x === fourth.x, JSON.stringify(dark));
  assert.ok(first.y < third.y && first.y === second.y && third.y === fourth.y, JSON.stringify(dark));
  assert.throws(() => cellChart({ ...given, shares: [0, 1, 1] }), /3 shares for 2 rows/);
});
