/**
 * The contents of a file that was packed by gzip. Some hosts say that such a file is packed on the way only, and the browser then unpacks it:
 * the first two bytes tell.
 */
export async function unpackedBody(answer: Response): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new Response(bytes);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')));
}
