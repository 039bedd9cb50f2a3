/** A page without its code, with the same lines. */
const withoutCode = (markdown: string): string =>
  markdown
    .replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));

export interface Link {
  readonly target: string;
  /** From 1. */
  readonly line: number;
}

/** What a page links to and shows. */
export function linksOf(markdown: string): Link[] {
  const text = withoutCode(markdown);
  return [...text.matchAll(/\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)?)\)|(?:src|href)="([^"]+)"/g)].map((match) => ({
    target: match[1] ?? match[2],
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const plain = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  for (const [, title] of plain.matchAll(/^#{1,6} (.+)$/gm)) {
    const base = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}
