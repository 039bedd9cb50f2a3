import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DownloadError, type FetchFileOptions, fetchFile } from '../../src/platform/node/download.ts';
import { type Mirror, type MirrorServer, mirrorServer } from './mirror-server.ts';

const CONTENTS = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i * 2654435761) >>> 24);
const FILE = 'numbers.gz';
const ZIPPED = gzipSync(CONTENTS);
const CHECK = { sha256OfContents: createHash('sha256').update(CONTENTS).digest('hex') };

interface Scene {
  server: MirrorServer;
  folder: string;
  get(mirrors: readonly Mirror[], options?: Partial<FetchFileOptions>): ReturnType<typeof fetchFile>;
}

/** A fresh folder and a fresh server for one test. */
async function scene(context: TestContext): Promise<Scene> {
  const server = await mirrorServer({ [FILE]: ZIPPED });
  const folder = await mkdtemp(join(tmpdir(), 'flipgrad-download-'));
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  const get: Scene['get'] = (mirrors, options) =>
    fetchFile({
      mirrors: mirrors.map(server.base),
      file: FILE,
      folder,
      check: CHECK,
      size: CONTENTS.length,
      ...options,
    });
  return { server, folder, get };
}

/** Asserts that the file arrived and that nothing else is left in the folder. */
async function assertArrived(folder: string, { contents, path }: Awaited<ReturnType<typeof fetchFile>>): Promise<void> {
  assert.ok(CONTENTS.every((byte, i) => contents[i] === byte) && contents.length === CONTENTS.length);
  assert.equal(path, join(folder, FILE));
  assert.deepEqual(await readdir(folder), [FILE]);
}

test('a good mirror gives the file, with progress, and the cache then needs no mirror', async (context) => {
  const { get, folder, server } = await scene(context);
  const progress: number[] = [];
  const fetched = await get(['good', 'missing'], {
    onProgress: ({ file, received, total }) => {
      assert.deepEqual([file, total], [FILE, ZIPPED.length]);
      progress.push(received);
    },
  });
  await assertArrived(folder, fetched);
  assert.equal(progress.at(-1), ZIPPED.length);
  await server.close();
  await assertArrived(folder, await get(['good']));
  await assertArrived(folder, await get([]));
});

test('an MD5 of the file as published is a check too', async (context) => {
  const { get, folder } = await scene(context);
  const md5OfFile = createHash('md5').update(ZIPPED).digest('hex');
  await assertArrived(folder, await get(['good'], { check: { md5OfFile } }));
  await assert.rejects(get([], { check: { md5OfFile: 'f00' } }), /but f00 was expected/);
});

test('a connection that closes early is resumed where it broke', async (context) => {
  const { get, folder, server } = await scene(context);
  await assertArrived(folder, await get(['closes-early']));
  assert.equal(server.seen.length, 2);
  assert.equal(server.seen[1].range, `bytes=${ZIPPED.length >> 1}-`);
});

test('a part of an earlier run is completed, and begun anew if it was wrong', async (context) => {
  const { get, folder, server } = await scene(context);
  const url = `${server.base('good')}${FILE}`;
  for (const [bytes, requests] of [
    [ZIPPED.subarray(0, 1000), 1],
    [new Uint8Array(1000), 2],
  ] as const) {
    await rm(join(folder, FILE), { force: true });
    server.seen.length = 0;
    await writeFile(join(folder, `${FILE}.part`), bytes);
    await writeFile(join(folder, `${FILE}.part.json`), JSON.stringify({ url, etag: '"1"' }));
    await assertArrived(folder, await get(['good']));
    assert.deepEqual([server.seen[0].range, server.seen.length], ['bytes=1000-', requests]);
  }
});

test('a lock and a part that dead processes left are taken over', async (context) => {
  const { get, folder } = await scene(context);
  await writeFile(join(folder, `${FILE}.lock`), String(process.pid));
  await writeFile(join(folder, `${FILE}.part`), 'junk');
  await assertArrived(folder, await get(['good']));
});

test('a file that changed since the break is begun anew', async (context) => {
  const { get, folder } = await scene(context);
  await assertArrived(folder, await get(['changes']));
});

test('a server that ignores ranges sends the whole again', async (context) => {
  const { get, folder, server } = await scene(context);
  await assertArrived(folder, await get(['no-range']));
  assert.equal(server.seen.length, 2);
});

test('corrupted, missing and stalled mirrors give way to the next', async (context) => {
  const { get, folder, server } = await scene(context);
  const mirrors: Mirror[] = ['corrupted', 'missing', 'stalled', 'silent', 'good'];
  await assertArrived(folder, await get(mirrors, { stallMilliseconds: 200 }));
  assert.deepEqual(
    server.seen.map(({ mirror }) => mirror),
    mirrors,
  );
});

test('a mirror that sends more than the file has is left, with nothing kept', async (context) => {
  const { get, folder, server } = await scene(context);
  const most = CONTENTS.length + 300 + 1024;
  let received = 0;
  const onProgress = (now: { received: number }) => {
    received = Math.max(received, now.received);
  };
  await assert.rejects(get(['announces', 'endless'], { onProgress }), (error: Error) => {
    assert.match(error.message, /announces\/numbers\.gz: it announces 1073741824 bytes; the file has at most 301324\n/);
    assert.match(
      error.message,
      /endless\/numbers\.gz: it sends more than the 301324 bytes that the file has at most\n/,
    );
    return true;
  });
  assert.ok(received > 0 && received <= most, `${received} bytes`);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(server.seen.length, 2, 'neither is asked again');
  // A part of an earlier run that another server had sent is dropped with it.
  await writeFile(join(folder, `${FILE}.part`), new Uint8Array(1000));
  await writeFile(
    join(folder, `${FILE}.part.json`),
    JSON.stringify({ url: `${server.base('endless')}${FILE}`, etag: null }),
  );
  await assert.rejects(get(['endless']), /sends more than/);
  assert.deepEqual(await readdir(folder), []);
});

test('gzip data that hold more than the file are not decompressed further, from a mirror or from the folder', async (context) => {
  const server = await mirrorServer({ [FILE]: gzipSync(Buffer.alloc(2 ** 26)) });
  const folder = await mkdtemp(join(tmpdir(), 'flipgrad-download-'));
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  const given = { mirrors: [server.base('good')], file: FILE, folder, check: CHECK, size: CONTENTS.length };
  await assert.rejects(
    fetchFile(given),
    /what .* sent holds more than 300000 bytes\. Expected gzip data of 300000 bytes/,
  );
  await writeFile(join(folder, FILE), gzipSync(Buffer.alloc(2 ** 26)));
  await assert.rejects(fetchFile({ ...given, mirrors: [] }), /was damaged .*holds more than 300000 bytes/);
});

test('what is no file in the folder is refused, and stays', async (context) => {
  const { get, folder } = await scene(context);
  await mkdir(join(folder, FILE));
  await assert.rejects(get(['good']), /numbers\.gz is a folder\. Expected a file/);
  assert.deepEqual(await readdir(folder), [FILE]);
});

test('when no mirror has the file the error lists each, and how to do without', async (context) => {
  const { get, folder } = await scene(context);
  const mirrors = ['corrupted', 'missing', 'stalled'] as const;
  await assert.rejects(get(mirrors, { stallMilliseconds: 200 }), (error: Error) => {
    assert.ok(error instanceof DownloadError);
    assert.match(error.message, /corrupted\/numbers.gz: .*(sha256|gzip)/);
    assert.match(error.message, /missing\/numbers.gz: the server answered 404 Not Found/);
    assert.match(error.message, /stalled\/numbers.gz: no data came for 0.2 seconds/);
    assert.match(error.message, /put numbers.gz into .* by hand/);
    return true;
  });
  assert.ok(!(await readdir(folder)).includes(FILE));
  const closed = await mirrorServer({});
  await closed.close();
  await assert.rejects(get([], { mirrors: [closed.base('good')] }), /ECONNREFUSED/);
});

test('a damaged file in the folder is set aside and fetched again', async (context) => {
  const { get, folder } = await scene(context);
  await writeFile(join(folder, FILE), 'damage');
  await assert.rejects(get([]), /was damaged and is now .*\.corrupted/);
  await writeFile(join(folder, FILE), 'damage');
  assert.equal((await get(['good'])).contents.length, CONTENTS.length);
  assert.equal(await readFile(join(folder, `${FILE}.corrupted`), 'utf8'), 'damage');
});

test('an abort stops the download with its own reason; what came is kept for the next time', async (context) => {
  const { get, folder, server } = await scene(context);
  const reason = new Error('enough');
  await assert.rejects(get(['good'], { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(server.seen.length, 0);
  const controller = new AbortController();
  const aborted = get(['stalled', 'good'], { signal: controller.signal, onProgress: () => controller.abort(reason) });
  await assert.rejects(aborted, reason);
  assert.deepEqual((await readdir(folder)).sort(), [`${FILE}.part`, `${FILE}.part.json`]);
  const silent = new AbortController();
  setTimeout(() => silent.abort(reason), 50);
  await assert.rejects(get(['silent'], { signal: silent.signal }), reason);
  await assertArrived(folder, await get(['good']));
});

test('downloads of one file at the same time do not share a part', async (context) => {
  const { get, folder } = await scene(context);
  const fetched = await Promise.all([get(['good']), get(['closes-early']), get(['good'])]);
  for (const each of fetched) await assertArrived(folder, each);
});
