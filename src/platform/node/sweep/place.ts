import { folderBelow } from '../below.ts';
import { receivedName } from './received.ts';

/**
 * The folder of a thing that a database names, below a folder of this machine's user: whoever can write the database chooses neither another
 * place nor a way that leads there. The only way from a name of the database to a path.
 * @throws SweepError when the name is no plain one; StorageError when a link of that name lies in the folder
 */
export async function placeBelow(folder: string, name: string): Promise<string> {
  return folderBelow(folder, receivedName(name));
}
