import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { previews } from './previews.ts';
import { typesetting } from './typesetting.ts';

/** A static build for any host: addresses are relative. */
export default defineConfig({
  base: './',
  plugins: [svelte(), typesetting(), previews()],
  worker: { format: 'es' },
  build: {
    outDir: '../dist/lab',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Names, versions and licences of what is bundled.
    license: { fileName: 'licenses.md' },
  },
});
