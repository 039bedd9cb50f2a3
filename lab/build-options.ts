/** How both builds are made: the lab, and its figures for pages of the site. Addresses are relative: any host does. */
export const shared = { base: './', worker: { format: 'es' } } as const;

export const sharedBuild = {
  emptyOutDir: true,
  target: 'es2022',
  assetsInlineLimit: 0,
  modulePreload: { polyfill: false },
  // Names, versions and licences of what is bundled.
  license: { fileName: 'licenses.md' },
} as const;
