import { type Folder, StorageError } from '../../runs/folder.ts';

/** What a folder that is only read answers to a writer. */
function readOnly(path: string): Omit<Folder, 'path' | 'read' | 'pieces' | 'list'> {
  const refuse = async (): Promise<never> => {
    throw new StorageError(`${path} can only be read here; \`flipgrad train\` writes runs.`);
  };
  return {
    write: refuse,
    append: refuse,
    sync: refuse,
    truncate: refuse,
    remove: refuse,
    lock: refuse,
    // Other writers cannot be seen from here.
    locked: async () => false,
  };
}

const tooLong = (name: string, size: number, most: number): StorageError =>
  new StorageError(`${name} has ${size} bytes; ${most} is the most that can be read.`);

/**
 * A folder that a web server has, for reading: `flipgrad lab RUN_DIR` has one under `run/`. That server lists folders too, which is what
 * looking for checkpoints takes, and says whether the run is being written; of others, which list nothing, a list is refused.
 * @param address of the folder, absolute, with a `/` at the end
 */
export function fetchedFolder(address: string): Folder {
  const path = address.replace(/\/$/, '');
  return {
    ...readOnly(path),
    path,
    async read(name, most) {
      const place = `${path}/${name}`;
      const reason = (error: Error): never => {
        throw new StorageError(`${place} cannot be fetched: ${error.message}.`, { cause: error });
      };
      const answer = await fetch(place).catch(reason);
      if (answer.status === 404) return undefined;
      if (!answer.ok) throw new StorageError(`${place} cannot be fetched: the server says ${answer.status}.`);
      const told = Number(answer.headers.get('Content-Length') ?? 0);
      if (told > most) throw tooLong(place, told, most);
      const bytes = new Uint8Array(await answer.arrayBuffer().catch(reason));
      if (bytes.length > most) throw tooLong(place, bytes.length, most);
      return bytes;
    },
    async *pieces(name, most) {
      const bytes = await this.read(name, most);
      if (bytes) yield bytes;
    },
    async list(name) {
      const names = await listed(name === undefined ? `${path}/` : `${path}/${name}/`);
      if (names) return names;
      // A server that lists the folder itself has no such folder in it.
      if (name !== undefined && (await listed(`${path}/`))) return [];
      throw new StorageError(`What is in ${path} cannot be listed from here. Pick the folder itself.`);
    },
    async locked() {
      const answer = await fetch(`${path}/run.json`, { method: 'HEAD' }).catch(() => undefined);
      return answer?.headers.get('Flipgrad-Run-Locked') === 'yes';
    },
  };
}

/** The names that a server gives as a JSON list; undefined where it gives none. */
async function listed(address: string): Promise<string[] | undefined> {
  const answer = await fetch(address).catch(() => undefined);
  if (!answer?.ok || !answer.headers.get('Content-Type')?.startsWith('application/json')) {
    await answer?.body?.cancel();
    return undefined;
  }
  const names: unknown = await answer.json().catch(() => undefined);
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names.sort() : undefined;
}

/**
 * A folder that a user has picked, for reading.
 * @param path its name, for messages
 * @param files by their places in the folder, with `/`
 */
export function pickedFolder(path: string, files: ReadonlyMap<string, Blob>): Folder {
  return {
    ...readOnly(path),
    path,
    async read(name, most) {
      const file = files.get(name);
      if (!file) return undefined;
      if (file.size > most) throw tooLong(`${path}/${name}`, file.size, most);
      try {
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        // The user may have moved or changed it since.
        throw new StorageError(`${path}/${name} cannot be read: ${(error as Error).message}.`, { cause: error });
      }
    },
    async *pieces(name, most) {
      const bytes = await this.read(name, most);
      if (bytes) yield bytes;
    },
    async list(name) {
      const before = name === undefined ? '' : `${name}/`;
      const within = [...files.keys()].filter((place) => place.startsWith(before));
      return [...new Set(within.map((place) => place.slice(before.length).split('/')[0]))].sort();
    },
  };
}
