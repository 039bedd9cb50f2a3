import type { Plugin } from 'vite';
import { PAGE_TITLES, type PageName } from './src/page-titles.ts';

/** The build's URL, of which the absolute URLs of pictures are made: most services that show previews want absolute ones. */
const PLACE = 'FLIPGRAD_LAB_URL';
const DOCUMENT = 'index.html';
/** Size of a preview picture, in pixels; `scripts/picture-lab.ts` takes the pictures. */
export const PREVIEW = { width: 1200, height: 630 } as const;

/** The file of a page's preview picture, relative to the build. */
export const previewOf = (name: string): string => `preview/${name}.jpg`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** The tags that link previews of a page are made of. @param place the build's URL, of a folder with or without a `/` at its end; '' where it is not known: then addresses of pictures are relative */
export function previewTags(name: PageName, place: string): string {
  const [title, meaning] = PAGE_TITLES[name];
  const whole = `${title} · flipgrad lab`;
  const folder = place === '' || place.endsWith('/') ? place : `${place}/`;
  const picture = `${folder}${previewOf(name)}`;
  const told: readonly (readonly [attribute: 'property' | 'name', name: string, content: string])[] = [
    ['name', 'description', meaning],
    ['property', 'og:type', 'website'],
    ['property', 'og:site_name', 'flipgrad lab'],
    ['property', 'og:title', whole],
    ['property', 'og:description', meaning],
    ['property', 'og:image', picture],
    ['property', 'og:image:width', `${PREVIEW.width}`],
    ['property', 'og:image:height', `${PREVIEW.height}`],
    ['property', 'og:image:alt', `The page “${title}” of the lab`],
    ['name', 'twitter:card', 'summary_large_image'],
    ['name', 'twitter:title', whole],
    ['name', 'twitter:description', meaning],
    ['name', 'twitter:image', picture],
  ];
  return told
    .map(([attribute, key, content]) => `<meta ${attribute}="${key}" content="${escaped(content)}">`)
    .join('\n    ');
}

/** Writes a document for every page, NAME.html, with its own title and picture: services that show previews never see the part of a URL after `#`. */
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
