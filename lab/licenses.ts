import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

/** What a package says of itself, and where it lies. */
interface Package {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The package of a file: that of the nearest package.json with a name. Folders of modules have some without. */
function packageOf(file: string): Package {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (!existsSync(path)) continue;
    const facts = JSON.parse(readFileSync(path, 'utf8')) as Partial<Package>;
    if (facts.name !== undefined) return { version: '0.0.0', ...facts, folder, name: facts.name };
  }
  throw new Error(`No package.json with a name stands over ${file}.`);
}

/** Name, version, kind of licence, and the text of it. @throws Error for a package without a licence's text */
function entryOf({ folder, name, version, license }: Package): string {
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
  if (file === undefined) throw new Error(`The package ${name} has no file with its licence.`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `## ${name} - ${version}${license === undefined ? '' : ` (${license})`}\n\n${text}\n`;
}

/**
 * Writes a list of the packages that are bundled, with their licences. Vite's own (`build.license`) leaves out what workers alone import.
 * @returns the plugin of the build, and what its `worker.plugins` wants: workers are bundled before the build that starts them
 */
export function licenses(fileName: string): { readonly list: Plugin; readonly ofWorkers: () => Plugin[] } {
  const files = new Set<string>();
  const collect: Plugin['generateBundle'] = (_, bundle) => {
    for (const chunk of Object.values(bundle))
      for (const id of chunk.type === 'chunk' ? chunk.moduleIds : [])
        if (!id.startsWith('\0') && id.includes('/node_modules/')) files.add(id.replace(/\?.*$/s, ''));
  };
  const list: Plugin = {
    name: 'licenses',
    generateBundle(options, bundle, isWrite) {
      collect.call(this, options, bundle, isWrite);
      const packages = new Map([...files].map(packageOf).map((own) => [`${own.name}@${own.version}`, own]));
      const entries = [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => entryOf(own));
      const head = '# Licenses\n\nThe app bundles dependencies which contain the following licenses:\n';
      this.emitFile({ type: 'asset', fileName, source: [head, ...entries].join('\n') });
    },
  };
  return { list, ofWorkers: () => [{ name: 'licenses of workers', generateBundle: collect }] };
}
