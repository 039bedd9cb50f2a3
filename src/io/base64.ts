/** Bytes of a stretch: a multiple of 3, so that stretches join without padding between them. */
const STRETCH = 3 * 8192;

/** Bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  const stretches: string[] = [];
  for (let at = 0; at < bytes.length; at += STRETCH)
    stretches.push(btoa(String.fromCharCode(...bytes.subarray(at, at + STRETCH))));
  return stretches.join('');
}
