import { existsSync, realpathSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkPlain } from '../src/platform/node/plain-file.ts';
import { checksum } from './certificate.ts';
import { UsageError } from './exit.ts';

/** A program of the user's own. */
export interface OwnModule {
  /** As it was given. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** Of it and of the files beside it that it imports. */
  readonly sha256: string;
}

/** Do two paths lead to one file, by a link too? */
export const isSameFile = (a: string, b: string): boolean => placeOf(a) === placeOf(b);

/** Each file once, as it is spelt first. */
export const distinctFiles = (files: readonly string[]): string[] =>
  files.filter((file, i) => files.findIndex((other) => isSameFile(other, file)) === i);

/** What lies at the end of links; of a file that is not there its path. */
function placeOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

/**
 * A file of the user's own that is not run yet.
 * @param expected what it should export, for messages
 * @throws UsageError when there is none
 */
export function ownModule(file: string, expected: string): OwnModule {
  const path = resolve(file);
  if (!existsSync(path))
    throw new UsageError(
      `There is no file ${file}. Expected a TypeScript or JavaScript file that exports ${expected}.`,
    );
  checkPlain(statSync(path), file);
  return { file, path, sha256: checksum(path) };
}

/** What a file of the user's own exports: this runs it. @throws UsageError when it cannot be run */
export async function exportsOf({ file, path }: OwnModule): Promise<Readonly<Record<string, unknown>>> {
  if (/\.[mc]?ts$/.test(path) && !process.features.typescript)
    throw new UsageError(
      `${file} is TypeScript, which Node ${process.version} does not run. Expected a .js or .mjs file, or Node 22.18 or newer.`,
    );
  serveFlipgrad();
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file} cannot be run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

let served = false;

/**
 * Files that import `flipgrad` get this program's own, wherever they lie: another copy of it would have classes of its own, which this one
 * does not know. Node 20 has no such hook: there the package that lies beside the file is taken.
 */
function serveFlipgrad(): void {
  if (served || nodeModule.registerHooks === undefined) return;
  served = true;
  const conditions = import.meta.url.endsWith('.ts') ? ['flipgrad-source'] : [];
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'flipgrad' && !specifier.startsWith('flipgrad/')) return next(specifier, context);
      return next(specifier, {
        ...context,
        conditions: [...context.conditions, ...conditions],
        parentURL: import.meta.url,
      });
    },
  });
}
