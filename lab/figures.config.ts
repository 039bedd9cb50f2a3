import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** Figures of the lab for pages of the site: `figures.js`, and the files that it loads. */
export default defineConfig({
  base: './',
  // Styles of components go where these are mounted: into shadow trees.
  plugins: [svelte({ compilerOptions: { css: 'injected' } })],
  worker: { format: 'es' },
  publicDir: false,
  build: {
    outDir: '../site/.stage/public/lab',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      input: 'src/figures.ts',
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'figures.js' },
    },
  },
});
