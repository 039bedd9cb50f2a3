import { folderBelow } from '../below.ts';
import { receivedName } from './received.ts';

/**
 * The folder of a thing that a database names, below a folder of this machine's user: somebody who can write the database can choose no other place
 * and no path to one. The only way from a name of the database to a path.
 * @throws SweepError when the name is no plain one; StorageError when a link of that name lies in the folder
 */
export async function placeBelow(folder: string, name: string): Promise<string> {
  return folderBelow(folder, receivedName(name));
}
