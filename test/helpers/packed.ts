import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { type Place, root } from './page.ts';

/** Runs npm, and returns what it prints. */
export const npm = (args: readonly string[], cwd = root): string =>
  execFileSync('npm', [...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Makes a project in a folder that has installed the package as it is packed. */
export function installPacked(folder: string): void {
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder]));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, filename)], folder);
}

/** Where the blocks of a page are run in a project that has installed the package, by one version of Node. */
export class PackedFolder implements Place {
  readonly path: string;
  private readonly node: string;
  private readonly cli: string;
  private readonly stripped: boolean;

  /** @param stripped write what the types leave of TypeScript as JavaScript beside it, and run that: Node 20 runs no TypeScript */
  constructor(project: string, node: string, { stripped }: { readonly stripped: boolean }) {
    this.path = mkdtempSync(join(project, 'page-'));
    this.node = node;
    this.cli = join(project, 'node_modules/flipgrad/dist/cli/main.js');
    this.stripped = stripped;
    cpSync(join(project, 'node_modules/flipgrad/docs'), join(this.path, 'docs'), { recursive: true });
  }

  write(name: string, text: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (!this.stripped || !name.endsWith('.ts')) return;
    writeFileSync(path.replace(/\.ts$/, '.js'), stripTypeScriptTypes(text).replaceAll(/('\.[^']*)\.ts'/g, "$1.js'"));
  }

  program(file: string, args: readonly string[] = []): string {
    return this.run([this.named(file), ...args]);
  }

  async flipgrad(words: readonly string[]): Promise<string> {
    return this.run([this.cli, ...words.map((word) => this.named(word))]);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  private run(words: readonly string[]): string {
    return execFileSync(this.node, [...words], {
      encoding: 'utf8',
      cwd: this.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
  }

  /** A file of TypeScript, perhaps with `#export`, by the name of what runs. */
  private named(word: string): string {
    const [file, ...rest] = word.split('#');
    const known = this.stripped && file.endsWith('.ts') && existsSync(join(this.path, file));
    return known ? [file.replace(/\.ts$/, '.js'), ...rest].join('#') : word;
  }
}
