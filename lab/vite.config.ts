import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { shared, sharedBuild, sharedPlugins } from './build-options.ts';
import { previews } from './previews.ts';
import { typesetting } from './typesetting.ts';

/** A static build of the lab. */
export default defineConfig({
  ...shared,
  plugins: [svelte(), typesetting(), previews(), sharedPlugins],
  build: { ...sharedBuild, outDir: '../dist/lab' },
});
