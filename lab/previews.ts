import type { Plugin } from 'vite';
import { PAGE_TITLES, type PageName } from './src/page-titles.ts';

/** Where the build will lie, for the addresses of pictures: who shows a preview wants them whole. */
const PLACE = 'FLIPGRAD_LAB_URL';
const DOCUMENT = 'index.html';
/** Of a picture, in pixels; `scripts/picture-lab.ts` makes them. */
export const PREVIEW = { width: 1200, height: 630 } as const;

/** The file of a page's picture, from the root of the build. */
export const previewOf = (name: string): string => `preview/${name}.jpg`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** What who shows a link to a page is told of it. @param place of the build, with a `/` at its end; '' where it is not known */
export function previewTags(name: PageName, place: string): string {
  const [title, meaning] = PAGE_TITLES[name];
  const whole = `${title} · flipgrad lab`;
  const told: readonly (readonly [attribute: 'property' | 'name', name: string, content: string])[] = [
    ['name', 'description', meaning],
    ['property', 'og:type', 'website'],
    ['property', 'og:site_name', 'flipgrad lab'],
    ['property', 'og:title', whole],
    ['property', 'og:description', meaning],
    ['property', 'og:image', `${place}${previewOf(name)}`],
    ['property', 'og:image:width', `${PREVIEW.width}`],
    ['property', 'og:image:height', `${PREVIEW.height}`],
    ['property', 'og:image:alt', `The page “${title}” of the lab`],
    ['name', 'twitter:card', 'summary_large_image'],
    ['name', 'twitter:title', whole],
    ['name', 'twitter:description', meaning],
    ['name', 'twitter:image', `${place}${previewOf(name)}`],
  ];
  return told
    .map(([attribute, key, content]) => `<meta ${attribute}="${key}" content="${escaped(content)}">`)
    .join('\n    ');
}

/** A document for every page, NAME.html, with its own title and picture: what follows a `#` is not told to who shows previews. */
export const previews = (place = process.env[PLACE] ?? ''): Plugin => ({
  name: 'previews',
  enforce: 'post',
  generateBundle(_, bundle) {
    const found = bundle[DOCUMENT];
    if (found?.type !== 'asset') throw new Error(`The build has no ${DOCUMENT}.`);
    const html = String(found.source);
    const names = Object.keys(PAGE_TITLES) as PageName[];
    const filled = (name: PageName): string =>
      html
        .replace('<!-- preview -->', previewTags(name, place))
        .replace(/<title>[^<]*<\/title>/, `<title>${escaped(PAGE_TITLES[name][0])} · flipgrad lab</title>`);
    for (const name of names) this.emitFile({ type: 'asset', fileName: `${name}.html`, source: filled(name) });
    found.source = filled(names[0]);
  },
});
