/** What stands in a picture of `charts`, read off the SVG. */
import assert from 'node:assert/strict';
import { DOMParser } from 'linkedom';

export interface PictureLine {
  readonly name: string;
  /** In units of the picture, from its top left. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PicturePanel {
  readonly lines: readonly PictureLine[];
  readonly bands: number;
  /** The numbers beside the vertical axis and where they stand. */
  readonly ticks: readonly (readonly [y: number, value: number])[];
}

const pairs = (text: string): [number, number][] =>
  [...text.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

/** Parses a picture. @throws AssertionError for what is no whole SVG */
export function parsePicture(svg: string): Document {
  assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  return new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document;
}

/** All texts of a picture. */
export const textsOf = (svg: string): string[] =>
  [...parsePicture(svg).querySelectorAll('text')].map(({ textContent }) => textContent ?? '');

/** The points of every path that is drawn in a colour. */
export const pathsOf = (svg: string, colour: string): PictureLine['points'][] =>
  [...parsePicture(svg).querySelectorAll('path')]
    .filter((path) => path.closest('[stroke]')?.getAttribute('stroke') === colour)
    .map((path) => pairs(path.getAttribute('d') ?? ''));

/** Do places on a linear axis stand for these values? Places are rounded to a tenth. */
export function assertLinear(values: readonly number[], places: readonly number[]): void {
  assert.equal(places.length, values.length);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [places[values.indexOf(least)], places[values.indexOf(most)]];
  values.forEach((value, i) => {
    const expected = most === least ? from : from + ((value - least) / (most - least)) * (to - from);
    assert.ok(Math.abs(places[i] - expected) < 0.2, `${value} at ${places[i]}, not at ${expected}`);
  });
}

/** What is drawn in a picture, or in the panel of a title. */
export function readPanel(svg: string, title?: string): PicturePanel {
  const picture = parsePicture(svg);
  const groups = [...picture.querySelectorAll('g')];
  const panel = title === undefined ? picture : groups.find((g) => g.firstElementChild?.textContent === title);
  assert.ok(panel, `a panel "${title}"`);
  const paths = [...panel.querySelectorAll('path')];
  const labels = [...panel.querySelectorAll('g[text-anchor="end"] > text[transform]')].map((text) => {
    const [[x, y]] = pairs(text.getAttribute('transform') ?? '');
    return { x, y, value: Number(text.textContent) };
  });
  const left = Math.min(...labels.map(({ x }) => x));
  return {
    lines: paths.flatMap((path) => {
      const name = path.querySelector('title')?.textContent;
      return name === undefined || name === null ? [] : [{ name, points: pairs(path.getAttribute('d') ?? '') }];
    }),
    bands: panel.querySelectorAll('[fill-opacity]').length,
    // The text at the end of the horizontal axis ends there too, farther right.
    ticks: labels
      .filter(({ x, value }) => x === left && Number.isFinite(value))
      .map(({ y, value }) => [y, value] as const),
  };
}

/** The heights of a panel's lines, read off by its own linear axis. */
export function heightsOf(svg: string, title: string): number[][] {
  const { lines, ticks } = readPanel(svg, title);
  const [[y0, v0], [y1, v1]] = [ticks[0], ticks[ticks.length - 1]];
  return lines.map(({ points }) => points.map(([, y]) => v0 + ((y - y0) / (y1 - y0)) * (v1 - v0)));
}
