import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { shared, sharedBuild, sharedPlugins } from './build-options.ts';

/** Figures of the lab for pages of the site: `figures.js`, and the files that it loads. */
export default defineConfig({
  ...shared,
  // Styles of components go where these are mounted: into shadow trees.
  plugins: [svelte({ compilerOptions: { css: 'injected' } }), sharedPlugins],
  publicDir: false,
  build: {
    ...sharedBuild,
    outDir: '../site/.stage/public/lab',
    rolldownOptions: {
      input: 'src/figures.ts',
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'figures.js' },
    },
  },
});
