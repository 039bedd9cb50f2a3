/** A page's settings in the address, after the page's name: `#microscope?logit=0.5&seed=1`. */
export type Settings = Readonly<Record<string, string | number>>;

/** The page and the settings of an address's fragment; settings that a page does not know are left out. */
export function readAddress(
  hash: string,
  defaults: Settings,
): { page: string; settings: Record<string, string | number> } {
  const [page, query = ''] = hash.replace(/^#/, '').split('?');
  const given = new URLSearchParams(query);
  const settings = Object.fromEntries(
    Object.entries(defaults).map(([name, fallback]) => {
      const text = given.get(name);
      if (text === null) return [name, fallback];
      if (typeof fallback === 'string') return [name, text];
      const value = Number(text);
      return [name, text.trim() === '' || !Number.isFinite(value) ? fallback : value];
    }),
  );
  return { page, settings };
}

/** The fragment that `readAddress` reads back. */
export function writeAddress(page: string, settings: Settings): string {
  const query = new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return `#${page}?${query}`;
}
