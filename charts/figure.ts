/** Observable Plot draws, on a document of linkedom; what comes out is one SVG that needs no other file. */
import { type PlotOptions, plot } from '@observablehq/plot';
import { DOMParser } from 'linkedom';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const document = new DOMParser().parseFromString(
  `<svg xmlns="${NAMESPACE}"></svg>`,
  'image/svg+xml',
) as unknown as Document;

/** Colours that people who see few of them tell apart. Source: Okabe and Ito 2008. */
export const INK = {
  blue: '#0072b2',
  vermilion: '#d55e00',
  green: '#009e73',
  purple: '#cc79a7',
  sky: '#56b4e9',
  orange: '#e69f00',
  grey: '#555555',
  pale: '#999999',
  black: '#000000',
} as const;
/** Axes and grids. The report's dark style replaces these two. */
export const SOFT = '#555';
export const GRID = '#eee';

export type Attributes = Readonly<Record<string, string | number>>;

/** An element of SVG; `_` in a name of an attribute stands for `-`. */
export function element(name: string, attributes: Attributes, ...children: readonly (Element | string)[]): Element {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key.replaceAll('_', '-'), String(value));
  made.append(...children);
  return made;
}

/** A line of text, in parts of several colours; those with a colour are bold. */
export const line = (
  x: number,
  y: number,
  parts: string | readonly (string | { readonly text: string; readonly colour: string })[],
  attributes: Attributes = {},
): Element =>
  element(
    'text',
    { x, y, ...attributes },
    ...(typeof parts === 'string' ? [parts] : parts).map((part) =>
      typeof part === 'string' ? part : element('tspan', { fill: part.colour, font_weight: 600 }, part.text),
    ),
  );

/** A chart by Plot, whose corner stands at (x, y) of the figure. */
export function chart(options: PlotOptions, x = 0, y = 0): Element {
  const drawn = plot({ document, ...options }) as unknown as Element;
  drawn.querySelector('style')?.remove();
  for (const own of ['class', 'font-family', 'viewBox']) drawn.removeAttribute(own);
  drawn.setAttribute('x', String(x));
  drawn.setAttribute('y', String(y));
  drawn.setAttribute('font-size', '11');
  drawn.setAttribute('overflow', 'visible');
  return drawn;
}

export interface Figure {
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

/** A white sheet with a title at its top left, and what stands on it. The first 34 units of height are the title's. */
export function figure({ title, width, height }: Figure, content: readonly Element[]): string {
  const sheet = element(
    'svg',
    {
      ...{ xmlns: NAMESPACE, viewBox: `0 0 ${width} ${height}`, font_family: 'system-ui, sans-serif', font_size: 12 },
      ...{ fill: '#222', role: 'img', aria_label: title },
    },
    element('rect', { width, height, fill: '#fff' }),
    line(14, 24, title, { font_size: 16, font_weight: 600 }),
    ...content,
  );
  tidy(sheet, idOf(title), new Map());
  return `${sheet.outerHTML}\n`;
}

/** What is clipped is named after the figure, so that several figures can stand on one page. */
const idOf = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** Numbers of more than one decimal, in attributes that are places and lengths. */
const PLACES = new Set(['d', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'dx', 'width', 'height', 'transform']);
const LONG = /-?\d+\.\d{2,}(?:e-?\d+)?/g;
/** What XML cannot hold, and what a terminal would take for a command. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g;

/** Shortens numbers, names clips after the figure, and leaves out names of groups (the figure has one) and control characters. */
function tidy(node: Element, prefix: string, clips: Map<string, string>): void {
  const clipOf = (id: string): string => {
    const known = clips.get(id) ?? `${prefix}-${clips.size + 1}`;
    clips.set(id, known);
    return known;
  };
  if (node.localName === 'g') for (const name of ['aria-label', 'aria-hidden']) node.removeAttribute(name);
  for (const { name, value } of [...node.attributes]) {
    const shorter = PLACES.has(name)
      ? value.replace(LONG, (number) => String(Number(Number(number).toFixed(1))))
      : value;
    const own = shorter.replace(/plot-clip-\d+/, clipOf).replace(CONTROL, '');
    if (own !== value) node.setAttribute(name, own);
  }
  for (const child of [...node.childNodes])
    if (child.nodeType === 1) tidy(child as Element, prefix, clips);
    else child.textContent = (child.textContent ?? '').replace(CONTROL, '');
}
