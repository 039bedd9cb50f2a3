import { type FrontFile, unpackFront } from '../front-file.ts';
import { unpackedBody } from '../gzip-body.ts';

let kept: { readonly address: string; readonly bytes: Promise<Uint8Array> } | undefined;

/** The network that is shipped with the lab, and its digits: fetched once. @throws Error with a sentence when its file does not come */
export async function shippedFile(address: string): Promise<FrontFile> {
  if (kept?.address !== address)
    kept = { address, bytes: unzipped(address, 'The network that is shipped with the lab') };
  const own = kept;
  try {
    return unpackFront(await own.bytes);
  } catch (error) {
    // It may come the next time.
    if (kept === own) kept = undefined;
    throw error;
  }
}

/** A file that was packed by gzip. @param what it is, for the sentence @throws Error when it does not come */
export async function unzipped(address: string, what: string): Promise<Uint8Array> {
  const answer = await fetch(address).catch(({ message }) => ({ ok: false as const, status: message }));
  if (!answer.ok) throw new Error(`${what} does not come from ${address}: ${answer.status}.`);
  return new Uint8Array(await (await unpackedBody(answer)).arrayBuffer());
}
