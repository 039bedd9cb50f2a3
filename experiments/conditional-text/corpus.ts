/** The text of `conditional-text`: what `npm ci` installs, the same for everybody who has the lock file. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joined, type TextFile, textFiles } from '../../src/platform/node/index.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const EXTENSIONS = ['.js', '.ts', '.md'];
/** Larger files are bundles of others. */
const MOST = 400_000;
/** Shares of the packages, by a hash of their names. */
const VALID = 0.05;
const TEST = 0.05;

/** The package that a file below node_modules belongs to. */
const packageOf = ({ path }: TextFile): string => path.split('/', path.startsWith('@') ? 2 : 1).join('/');

/** From 0 to 1, by the name alone. */
const placeOf = (name: string): number => createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32;

/**
 * All .js, .ts and .md files below a folder of packages, each content once, in three parts by package: nothing is trained on that a held-out
 * package has.
 * @param folder default: this repository's node_modules
 */
export async function packageTexts(
  signal: AbortSignal,
  folder: string = MODULES,
): Promise<Record<'train' | 'valid' | 'test', Uint8Array>> {
  const parts: Record<'train' | 'valid' | 'test', TextFile[]> = { train: [], valid: [], test: [] };
  for (const file of await textFiles(join(folder), { extensions: EXTENSIONS, most: MOST, signal })) {
    const place = placeOf(packageOf(file));
    parts[place < VALID ? 'valid' : place < VALID + TEST ? 'test' : 'train'].push(file);
  }
  return { train: joined(parts.train), valid: joined(parts.valid), test: joined(parts.test) };
}
