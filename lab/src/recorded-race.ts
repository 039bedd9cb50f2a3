import { type RecordedRace, recordedFile } from './race-presets.ts';

/** A race that was run beforehand. @throws Error with a sentence when its file does not come */
export async function fetchRecorded(name: string): Promise<RecordedRace> {
  try {
    const answer = await fetch(new URL(recordedFile(name), document.baseURI));
    if (!answer.ok || !answer.body) throw new Error(`the server says ${answer.status}`);
    return (await new Response(answer.body.pipeThrough(new DecompressionStream('gzip'))).json()) as RecordedRace;
  } catch (reason) {
    throw new Error(
      `The recorded race "${name}" does not come: ${(reason as Error).message}. Expected it beside this page.`,
    );
  }
}
