/**
 * Takes the pictures of the lab's pages anew, in Chromium, as people see them once they have used them: docs/lab/PAGE-WIDTH-SCHEME.png, for
 * link previews lab/public/preview/PAGE.jpg, and for the README the first screen of the front page. `node scripts/picture-lab.ts [PAGE …]`:
 * of all pages, or of those.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PREVIEW, previewOf } from '../lab/previews.ts';
import { openLab } from '../test/lab/browser.ts';
import { PICTURES, pagesNamed } from './lab-pages.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCS = join(ROOT, 'docs/lab');
const PUBLIC = join(ROOT, 'lab/public');
/** Of the README. */
const FRONT = join(ROOT, 'docs/pictures/lab.png');
/** JPEG quality, 0 to 100. `test/lab/sharing.test.ts` bounds the size of a picture. */
const QUALITY = 72;
const HEIGHT = 900;

const pages = pagesNamed(process.argv.slice(2));
for (const folder of [DOCS, join(PUBLIC, 'preview'), join(ROOT, 'docs/pictures')])
  mkdirSync(folder, { recursive: true });
const lab = await openLab();
try {
  for (const [name, { settings = '', ready, use, firstScreen }] of pages) {
    const [[first, colorScheme]] = PICTURES;
    const { page } = await lab.page(`#${name}${settings}`, { width: first, colorScheme });
    await ready(page);
    await use(page);
    for (const [width, scheme] of PICTURES) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: HEIGHT });
      await page.screenshot({ path: join(DOCS, `${name}-${width}-${scheme}.png`), fullPage: !firstScreen });
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(PREVIEW);
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(PUBLIC, previewOf(name)), type: 'jpeg', quality: QUALITY });
    if (name === 'see') {
      await page.setViewportSize({ width: 1280, height: HEIGHT });
      await page.screenshot({ path: FRONT });
    }
    await page.context().close();
    process.stdout.write(`${name}\n`);
  }
} finally {
  await lab.close();
}
