/** Files packed by gzip are read whether a host sends them as they are or as packed on the way, so that the browser unpacks them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { unpackedBody } from '../../lab/src/gzip-body.ts';

test('a body that is packed, and one that a browser has unpacked, are the same contents; a damaged one is an error', async () => {
  const contents = Buffer.from('gates '.repeat(1000));
  for (const body of [contents, gzipSync(contents)]) {
    const found = await unpackedBody(new Response(new Uint8Array(body)));
    assert.deepEqual(Buffer.from(await found.arrayBuffer()), contents);
  }
  const cut = new Uint8Array(gzipSync(contents).subarray(0, 20));
  await assert.rejects(async () => (await unpackedBody(new Response(cut))).arrayBuffer());
});
