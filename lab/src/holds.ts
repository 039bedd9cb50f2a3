import type { Hold } from '../../src/index.ts';

/** Held gates as text, as `flipgrad predict --hold` takes them: `gated.gates:3=open,gated.gates:5=closed`. */
export const encodeHolds = (holds: readonly Hold[]): string =>
  holds.map(({ site, unit, open }) => `${site}:${unit}=${open ? 'open' : 'closed'}`).join(',');

/** What `encodeHolds` wrote; words that mean nothing are left out, and of a gate that is named twice the last counts. */
export function decodeHolds(text: string): Hold[] {
  const holds = text.split(',').flatMap((word) => {
    const [, site, unit, way] = /^(.+):(\d+)=(open|closed)$/.exec(word) ?? [];
    return site === undefined ? [] : [{ site, unit: Number(unit), open: way === 'open' }];
  });
  return [...new Map(holds.map((hold) => [`${hold.site}:${hold.unit}`, hold])).values()];
}
