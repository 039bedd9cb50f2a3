/**
 * The documentation as a site. Its tools (VitePress, TypeDoc) are installed in site/ when they are first wanted: `npm ci` of the
 * repository stays quick.
 *
 *     npm run docs    # serves it, and follows changes of pages when it is started anew
 *     npm run docs:build   # builds it into site/dist, without the network
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { FRONT_FILE } from '../lab/src/front-network.ts';
import { stage, stageSite } from './stage-site.ts';

const site = join(stage, '..');
const lab = join(site, '../lab');

/** Runs a program in a folder. It ends this one with its code where it fails. */
function run(cwd: string, program: string, ...args: string[]): void {
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const [command = 'build'] = process.argv.slice(2);
if (!['build', 'dev'].includes(command)) {
  console.error(`The site has no command "${command}". Expected build or dev.`);
  process.exit(2);
}
if (!existsSync(join(site, 'node_modules/vitepress'))) run(site, 'npm', 'ci', '--no-audit', '--no-fund');
stageSite();
// Figures of the lab that stand in pages, and the network that they show.
run(lab, process.execPath, '../node_modules/vite/bin/vite.js', 'build', '--config', 'figures.config.ts');
for (const file of [FRONT_FILE, 'icon.svg']) cpSync(join(lab, 'public', file), join(stage, 'public/lab', file));
run(site, process.execPath, 'node_modules/typedoc/bin/typedoc', '--logLevel', 'Warn');
run(site, process.execPath, 'node_modules/vitepress/bin/vitepress.js', command);
