import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Folder, StorageError } from '../../runs/folder.ts';
import { isLocked, lockFolder, sweepLocks } from './folder-lock.ts';
import { codeOf, explained } from './storage-reason.ts';

/** A folder on this machine's disks; it need not exist yet. */
export function nodeFolder(path: string): Folder {
  const at = (name: string): string => join(path, name);
  return {
    path,
    async read(name, most) {
      try {
        const { size } = await stat(at(name));
        if (size > most) throw new StorageError(`${at(name)} has ${size} bytes; ${most} is the most that can be read.`);
        return await readFile(at(name));
      } catch (error) {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
        throw explained(error, at(name), 'read');
      }
    },
    async write(name, content) {
      const target = at(name);
      // Two writers never share a temporary name; a kill leaves one behind, which the next lock removes.
      const part = join(dirname(target), `.${randomUUID()}.part`);
      try {
        await mkdir(dirname(target), { recursive: true });
        if (content instanceof Uint8Array) await writeDurably(part, content);
        else await writeFolder(part, content);
        await rename(part, target);
        await syncFolder(dirname(target));
      } catch (error) {
        await rm(part, { recursive: true, force: true }).catch(() => {});
        throw explained(error, target, 'written', content);
      }
    },
    async append(name, bytes) {
      try {
        await mkdir(path, { recursive: true });
        await appendFile(at(name), bytes);
      } catch (error) {
        throw explained(error, at(name), 'written', bytes);
      }
    },
    async truncate(name, length) {
      await truncate(at(name), length).catch((error) => {
        throw explained(error, at(name), 'cut');
      });
    },
    async list(name = '.') {
      return (await readdir(at(name)).catch(() => [])).sort();
    },
    async remove(name) {
      await rm(at(name), { recursive: true, force: true }).catch((error) => {
        throw explained(error, at(name), 'removed');
      });
    },
    async lock() {
      await mkdir(path, { recursive: true }).catch((error) => {
        throw explained(error, path, 'made');
      });
      const lock = await lockFolder(path);
      await sweepLocks(path);
      for (const folder of [path, at('checkpoints')])
        for (const name of await readdir(folder).catch(() => []))
          if (/^\.[0-9a-f-]{36}\.part$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
      return lock;
    },
    locked: () => isLocked(path),
  };
}

async function writeFolder(folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await mkdir(folder);
  for (const [name, bytes] of Object.entries(files)) await writeDurably(join(folder, name), bytes);
  await syncFolder(folder);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last. Windows cannot open a folder, and needs no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
