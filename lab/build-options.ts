import { licenses } from './licenses.ts';

// Names, versions and licences of what is bundled.
const { list, ofWorkers } = licenses('licenses.md');

/** How both builds are made: the lab, and its figures for pages of the site. Addresses are relative: any host does. */
export const shared = { base: './', worker: { format: 'es', plugins: ofWorkers } } as const;

/** Plugins of both. */
export const sharedPlugins = [list];

export const sharedBuild = {
  emptyOutDir: true,
  target: 'es2022',
  assetsInlineLimit: 0,
  modulePreload: { polyfill: false },
} as const;
