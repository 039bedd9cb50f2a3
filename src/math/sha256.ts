import { sha256 as hash } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/**
 * The SHA-256 of the parts, one after the other, as 64 lower-case hexadecimal digits. Synchronous, in browsers too: they offer only an
 * asynchronous digest, and a data set's checksum is read in the middle of synchronous code.
 * @param parts the message, in order; `sha256(a, b)` equals the digest of a followed by b
 */
export function sha256(...parts: readonly Uint8Array[]): string {
  const state = hash.create();
  for (const part of parts) state.update(part);
  return bytesToHex(state.digest());
}
