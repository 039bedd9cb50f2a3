import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything under a folder, links not followed: what each is, and a checksum of what it holds. Large files stand by their length. */
export function treeOf(folder: string, within = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, within)).sort()) {
    const place = within === '' ? name : `${within}/${name}`;
    const path = join(folder, place);
    const facts = lstatSync(path);
    if (facts.isDirectory()) Object.assign(found, { [place]: 'folder' }, treeOf(folder, place));
    else if (facts.isSymbolicLink()) found[place] = `link to ${readlinkSync(path)}`;
    else if (!facts.isFile()) found[place] = 'special';
    else if (facts.size > LARGE) found[place] = `${facts.size} bytes`;
    else found[place] = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  return found;
}

const LARGE = 2 ** 26;
