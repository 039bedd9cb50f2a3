import { unpackedBody } from './gzip-body.ts';
import { type RecordedRace, recordedFile } from './race-presets.ts';
import { addressOfShipped } from './shipped-files.ts';

/** A race that was run beforehand. @throws Error with a sentence when its file does not come */
export async function fetchRecorded(name: string): Promise<RecordedRace> {
  try {
    const answer = await fetch(addressOfShipped(recordedFile(name)));
    if (!answer.ok) throw new Error(`the server says ${answer.status}`);
    return (await (await unpackedBody(answer)).json()) as RecordedRace;
  } catch (reason) {
    throw new Error(
      `The recorded race "${name}" does not come: ${(reason as Error).message}. Expected it beside this page.`,
    );
  }
}
