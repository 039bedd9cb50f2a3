/** Puts the pages of the site where VitePress finds them: README.md, docs and results, with links that lead somewhere on a site. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What VitePress reads. */
export const stage: string = join(root, 'site/.stage');

/** Pages and pictures keep their places; everything else that a page links to is served as a file. */
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'results/*.md'];
const PICTURES = ['docs/**/*.{svg,png}', 'results/*.svg'];

/** The anchor of a heading, as GitHub makes it; repeated ones get a number. */
export const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** Where a link of a page leads on the site; undefined: nowhere, since sources are not a part of it. */
function siteLink(page: string, target: string): string | undefined {
  if (/^(https?:|mailto:|#)/.test(target)) return target;
  const [path, anchor] = target.split('#');
  const file = posix.normalize(posix.join(posix.dirname(page), path));
  const found = existsSync(join(root, file));
  if (found && /\.md$/.test(file)) {
    if (file === 'README.md') return `/${anchor ? `#${anchor}` : ''}`;
    return PAGES.some((pattern) => posix.matchesGlob(file, pattern)) ? target : undefined;
  }
  if (found && PICTURES.some((pattern) => posix.matchesGlob(file, pattern))) return target;
  if (!found || !/^(docs|results)\/.*\.\w+$/.test(file)) return undefined;
  return served(file);
}

/** Has a file served as it is. @returns its address */
function served(file: string): string {
  cpSync(join(root, file), join(stage, 'public', file));
  return `/${file}`;
}

/** A picture of a page. A chart is wider than a page's column: it is a link to itself, which shows it in full size. */
function sitePicture(page: string, label: string, link: string): string {
  const picture = `![${label}](${link})`;
  if (!link.endsWith('.svg')) return picture;
  return `[${picture}](${served(posix.normalize(posix.join(posix.dirname(page), link)))}){target="_self"}`;
}

/** A page with the links of the site. */
function sitePage(page: string, text: string): string {
  const parts = text.split(/(^```[\s\S]*?^```$|`[^`\n]*`)/m);
  return parts
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replace(
            /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/g,
            (_, picture: string, label: string, target: string) => {
              const link = siteLink(page, target);
              if (link === undefined) return label;
              if (picture) return sitePicture(page, label, link);
              return `[${label}](${link})${link.startsWith('/') && /\.\w+$/.test(link) ? '{target="_self"}' : ''}`;
            },
          ),
    )
    .join('');
}

/** Fills the stage anew. @returns its pages */
export function stageSite(): string[] {
  rmSync(stage, { recursive: true, force: true });
  const pages = PAGES.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  for (const page of pages) {
    const to = join(stage, page === 'README.md' ? 'index.md' : page);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, sitePage(page, readFileSync(join(root, page), 'utf8')));
  }
  for (const picture of PICTURES.flatMap((pattern) => globSync(pattern, { cwd: root })))
    cpSync(join(root, picture), join(stage, picture));
  return pages;
}
