import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { labServer, listenLocally } from '../../cli/lab-server.ts';
import { nodeFolder } from '../../src/platform/node/index.ts';
import { noBrowser, openBrowser } from './browser.ts';

/** More than what sockets hold while nobody reads. */
const LARGE = 2 ** 25;

const top = mkdtempSync(join(tmpdir(), 'flipgrad-lab-'));
for (const folder of ['lab/assets', 'run/checkpoints/epoch 1', 'run/.part', 'outside'])
  mkdirSync(join(top, folder), { recursive: true });
writeFileSync(join(top, 'lab/index.html'), '<p>the lab</p>');
writeFileSync(join(top, 'lab/assets/a b.js'), 'export {};');
writeFileSync(join(top, 'lab/empty.css'), '');
const SCRIPT = 'export const digits = [0, 1, 2];\n'.repeat(100);
writeFileSync(join(top, 'lab/long.js'), SCRIPT);
writeFileSync(join(top, 'run/lines.jsonl'), '{"event":"epoch"}\n'.repeat(200));
writeFileSync(join(top, 'lab/.hidden'), 'SECRET');
writeFileSync(join(top, 'run/run.json'), '{"run":1}');
writeFileSync(join(top, 'run/.hidden'), 'SECRET');
writeFileSync(join(top, 'run/evil.html'), '<script src="/run/evil.js"></script><script src="/own.js"></script>');
writeFileSync(join(top, 'run/evil.js'), 'fetch("/ran-evil");');
writeFileSync(join(top, 'lab/own.js'), 'fetch("/ran-own");');
writeFileSync(
  join(top, 'lab/page.html'),
  '<script src="/own.js"></script><script src="/run/evil.js"></script><script type="module" src="/run/evil.js"></script>',
);
writeFileSync(join(top, 'run/evil.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>');
writeFileSync(join(top, 'run/large.bin'), new Uint8Array(LARGE).fill(7));
writeFileSync(join(top, 'outside/secret'), 'SECRET');
symlinkSync(join(top, 'outside/secret'), join(top, 'lab/link.js'));
symlinkSync(join(top, 'outside'), join(top, 'lab/folder'));
symlinkSync(join(top, 'outside/secret'), join(top, 'run/link.json'));
symlinkSync(join(top, 'outside'), join(top, 'run/folder'));
const server = labServer({ lab: join(top, 'lab'), run: join(top, 'run') });
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
after(() => {
  server.close();
  rmSync(top, { recursive: true, force: true });
});

/** With headers of one's own; nothing is unpacked. */
function raw(
  address: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(`http://127.0.0.1:${port}${address}`, { headers, method, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer
        .on('data', (piece) => pieces.push(piece))
        .on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
    })
      .on('error', reject)
      .end();
  });
}

/** Sends an address as it stands: clients tidy it before they send it. */
function ask(address: string, { method = 'GET', host = `localhost:${port}` } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${method} ${address} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (data) => (text += data));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('the server of the lab', () => {
  test('says which run it serves, and whether somebody is writing it', async () => {
    assert.match(await ask('/', { method: 'HEAD' }), /\r\nFlipgrad-Run: run\r\nFlipgrad-Run-Locked: no\r\n/);
    const lock = await nodeFolder(join(top, 'run')).lock();
    assert.match(await ask('/run/run.json', { method: 'HEAD' }), /\r\nFlipgrad-Run-Locked: yes\r\n/);
    await lock.release();
    const without = labServer({ lab: join(top, 'lab') });
    await new Promise<void>((resolve) => without.listen(0, '127.0.0.1', resolve));
    const answer = await fetch(`http://127.0.0.1:${(without.address() as AddressInfo).port}/`);
    assert.equal(answer.headers.get('Flipgrad-Run'), null);
    await answer.text();
    without.close();
  });

  test('serves the two folders', async () => {
    for (const [address, content] of [
      ['/', 'the lab'],
      ['/index.html?x=1', 'the lab'],
      ['/assets/a%20b.js', 'export {};'],
      ['/run/run.json', '{"run":1}'],
      ['/empty.css', 'text/css'],
    ]) {
      const answer = await ask(address);
      assert.match(answer, /^HTTP\/1\.1 200 /, address);
      assert.ok(answer.includes(content), address);
    }
    assert.ok(!(await ask('/', { method: 'HEAD' })).includes('the lab'));
  });

  test('lists the folders of the run, without what it does not serve, and no others', async () => {
    const names = async (address: string): Promise<unknown> => JSON.parse((await ask(address)).split('\r\n\r\n')[1]);
    assert.deepEqual(await names('/run/'), [
      'checkpoints',
      'evil.html',
      'evil.js',
      'evil.svg',
      'large.bin',
      'lines.jsonl',
      'run.json',
    ]);
    assert.deepEqual(await names('/run/checkpoints/'), ['epoch 1']);
    assert.deepEqual(await names('/run/checkpoints/epoch%201/?x'), []);
    assert.ok(!(await ask('/run/', { method: 'HEAD' })).includes('run.json'));
  });

  test('sends the headers that threads need, and a strict policy, with refusals too', async () => {
    for (const address of ['/', '/nothing']) {
      const answer = await ask(address);
      for (const line of [
        'Cross-Origin-Opener-Policy: same-origin',
        'Cross-Origin-Embedder-Policy: require-corp',
        "Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval';",
        'X-Content-Type-Options: nosniff',
      ])
        assert.ok(answer.includes(line), `${address} ${line}`);
      assert.ok(!answer.includes('unsafe-inline'));
    }
  });

  test('refuses what leads out of the folders', async () => {
    const absolute = join(top, 'outside/secret');
    for (const address of [
      '/../outside/secret',
      '/assets/../../outside/secret',
      '/%2e%2e/outside/secret',
      '/..%2foutside%2fsecret',
      '/..%5coutside%5csecret',
      '/run/../../outside/secret',
      `/${absolute}`,
      absolute,
      `/${encodeURIComponent(absolute)}`,
      `http://localhost${absolute}`,
      `file://${absolute}`,
      '/link.js',
      '/folder/secret',
      '/run/link.json',
      '/run/folder/',
      '/run/folder/secret',
      '/run/.part/',
      '/run/.hidden',
      '/run//',
      '/run/../',
      '/run/%2e%2e/',
      '/run/checkpoints/../../outside/',
      '/run/run.json/',
      '/run/nothing/',
      '/.hidden',
      '/%00',
      '/%zz',
      '/index.html%00.js',
      '/assets',
      '/assets/',
      '/run',
      '/run/checkpoints',
      '//',
      '/nothing',
      '/index.html/x',
    ]) {
      const answer = await ask(address);
      assert.match(answer, /^HTTP\/1\.1 404 /, address);
      assert.ok(!answer.includes('SECRET'), address);
    }
  });

  test('a file that a reader has is not sent again, until it is another', async () => {
    for (const address of ['/long.js', '/run/run.json']) {
      const { headers } = await raw(address);
      const tag = headers.etag as string;
      assert.match(tag, /^"[\w-]+"$/);
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const again = await raw(address, { 'If-None-Match': known });
        assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, tag], known);
        // What a page may do stands in these as well.
        assert.ok(again.headers['content-security-policy'] && again.headers['cross-origin-embedder-policy']);
      }
      assert.equal((await raw(address, { 'If-None-Match': '"other"' })).status, 200);
    }
    assert.equal((await raw('/changing.js')).status, 404);
    const changing = join(top, 'lab/changing.js');
    // The same length and file; only the time of the change is another, by a millisecond.
    writeFileSync(changing, 'let a = 1;');
    utimesSync(changing, 1000, 1000);
    const { headers } = await raw('/changing.js');
    writeFileSync(changing, 'let a = 2;');
    utimesSync(changing, 1000, 1000.001);
    const changed = await raw('/changing.js', { 'If-None-Match': headers.etag as string });
    assert.deepEqual([changed.status, String(changed.body)], [200, 'let a = 2;']);
    rmSync(changing);
  });

  test('packs what gets smaller, for readers that take it', async () => {
    for (const [accepted, coding, unpack] of [
      ['br, gzip', 'br', brotliDecompressSync],
      ['gzip, deflate', 'gzip', gunzipSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
      ['*', 'br', brotliDecompressSync],
    ] as const) {
      const packed = await raw('/long.js', { 'Accept-Encoding': accepted });
      assert.equal(packed.headers['content-encoding'], coding, accepted);
      assert.equal(String(unpack(packed.body)), SCRIPT);
      assert.ok(packed.body.length < SCRIPT.length / 5);
      assert.equal(packed.headers.vary, 'Accept-Encoding');
      const tag = packed.headers.etag as string;
      assert.equal((await raw('/long.js', { 'Accept-Encoding': accepted, 'If-None-Match': tag })).status, 304);
      // The same bytes in another coding are another answer.
      assert.notEqual(tag, (await raw('/long.js')).headers.etag);
    }
    for (const [address, accepted] of [
      ['/long.js', ''],
      ['/long.js', 'br;q=0, gzip;q=0'],
      ['/long.js', 'identity'],
      ['/own.js', 'br, gzip'],
      ['/run/large.bin', 'br, gzip'],
    ]) {
      const plain = await raw(address, { 'Accept-Encoding': accepted }, 'HEAD');
      assert.equal(plain.headers['content-encoding'], undefined, `${address} ${accepted}`);
      assert.ok(Number(plain.headers['content-length']) > 0);
    }
    const lines = await fetch(`http://127.0.0.1:${port}/run/lines.jsonl`);
    assert.equal(lines.headers.get('Content-Encoding'), 'gzip');
    assert.equal((await lines.text()).length, 200 * 18);
  });

  test('sends a part of a file that is asked for', async () => {
    const last = SCRIPT.length - 1;
    for (const [range, from, to] of [
      ['bytes=0-9', 0, 9],
      ['bytes=5-', 5, last],
      ['bytes=-7', last - 6, last],
      [`bytes=10-${10 * SCRIPT.length}`, 10, last],
      [`bytes=-${10 * SCRIPT.length}`, 0, last],
    ] as const) {
      const part = await raw('/long.js', { Range: range, 'Accept-Encoding': 'br' });
      assert.equal(part.status, 206, range);
      assert.equal(part.headers['content-range'], `bytes ${from}-${to}/${SCRIPT.length}`);
      assert.equal(Number(part.headers['content-length']), to - from + 1);
      assert.equal(String(part.body), SCRIPT.slice(from, to + 1));
    }
    for (const range of [`bytes=${SCRIPT.length}-`, 'bytes=-0']) {
      const none = await raw('/long.js', { Range: range });
      assert.deepEqual([none.status, none.headers['content-range']], [416, `bytes */${SCRIPT.length}`], range);
    }
    // Several parts, other units, and what is no range: all of it.
    for (const range of ['bytes=0-1,4-5', 'lines=0-1', 'bytes=9-5', 'bytes=-', 'bytes'])
      assert.deepEqual(
        await raw('/long.js', { Range: range }).then(({ status, body }) => [status, body.length]),
        [200, SCRIPT.length],
        range,
      );
    const { headers } = await raw('/long.js');
    const tagged = (tag: string) => raw('/long.js', { Range: 'bytes=0-9', 'If-Range': tag });
    assert.equal((await tagged(headers.etag as string)).status, 206);
    assert.equal((await tagged('"other"')).status, 200);
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal((await raw('/run/large.bin', { Range: 'bytes=0-0' })).body.length, 1);
  });

  test('refuses other methods, and other names for this machine', async () => {
    assert.match(await ask('/', { method: 'POST' }), /^HTTP\/1\.1 405 /);
    for (const host of ['example.org', `evil.localhost.example:${port}`, '127.0.0.1.example', ''])
      assert.match(await ask('/', { host }), /^HTTP\/1\.1 40[03] /, host);
    assert.match(await ask('/', { host: `127.0.0.1:${port}` }), /^HTTP\/1\.1 200 /);
  });

  test('sends nothing of a run as what a browser runs or draws', async () => {
    for (const [address, type] of [
      ['/run/run.json', 'text/plain; charset=utf-8'],
      ['/run/', 'application/json'],
      ['/run/evil.html', 'application/octet-stream'],
      ['/run/evil.js', 'application/octet-stream'],
      ['/run/evil.svg', 'application/octet-stream'],
    ]) {
      const { headers } = await fetch(`http://127.0.0.1:${port}${address}`);
      assert.equal(headers.get('Content-Type'), type, address);
      assert.equal(headers.get('X-Content-Type-Options'), 'nosniff', address);
      assert.match(headers.get('Content-Security-Policy') ?? '', /^sandbox; default-src 'none'/, address);
      assert.equal(
        headers.get('Content-Disposition'),
        type === 'application/octet-stream' ? 'attachment' : null,
        address,
      );
    }
  });

  test('lets no file of a run run in Chromium: as a page, as a script', {
    skip: noBrowser ?? false,
    timeout: 120_000,
  }, async () => {
    const asked: string[] = [];
    const note = ({ url }: { url?: string }): void => void asked.push(url ?? '');
    server.on('request', note);
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const base = `http://localhost:${port}`;
      await page.goto(`${base}/page.html`, { waitUntil: 'networkidle' });
      // What the page may run shows that what ran would be seen.
      assert.deepEqual(
        asked.filter((url) => url.startsWith('/ran')),
        ['/ran-own'],
      );
      assert.ok(asked.includes('/run/evil.js'));
      await assert.rejects(page.goto(`${base}/run/evil.html`), /Download is starting|ERR_ABORTED/);
      await page.waitForLoadState('networkidle');
      assert.deepEqual(
        asked.filter((url) => url.startsWith('/ran')),
        ['/ran-own'],
      );
    } finally {
      server.off('request', note);
      await browser.close();
    }
  });

  test('keeps nothing of readers that go away', {
    skip: process.platform !== 'linux' && 'counts in /proc',
  }, async () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    await ask('/run/run.json');
    const before = descriptors();
    const request = `GET /run/large.bin HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
    for (let i = 0; i < 120; i++)
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(request.repeat(1 + (i % 3))));
        socket.on('close', () => resolve()).on('error', () => {});
        // At once, with the first bytes, or when the server waits for somebody to read.
        if (i % 3 === 0) socket.once('connect', () => setImmediate(() => socket.destroy()));
        else if (i % 3 === 1) socket.once('data', () => socket.destroy());
        else socket.once('data', () => setTimeout(() => socket.destroy(), 20)).once('data', () => socket.pause());
      });
    for (let waited = 0; descriptors() > before && waited < 20_000; waited += 100) await sleep(100);
    assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
    await new Promise<void>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/run/large.bin`, { agent: new Agent() }, (answer) => {
        let length = 0;
        answer
          .on('data', (bytes) => (length += bytes.length))
          .on('end', () => {
            if (length === LARGE) resolve();
            else reject(new Error(`${length} bytes came`));
          });
      }).on('error', reject);
    });
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  });

  test('has a bounded number of connections, and serves again when they are gone', async () => {
    const open = labServer({ lab: join(top, 'lab') });
    const at = await listenLocally(open, 0);
    const closed: boolean[] = [];
    const sockets = Array.from({ length: 400 }, (_, i) => {
      const socket = connect(at, '127.0.0.1');
      socket.on('error', () => {}).on('close', () => (closed[i] = true));
      return socket;
    });
    const count = () => new Promise<number>((resolve) => open.getConnections((_, n) => resolve(n)));
    for (let waited = 0; closed.filter(Boolean).length < 400 - open.maxConnections && waited < 20_000; waited += 50)
      await sleep(50);
    assert.ok(open.maxConnections < 400);
    assert.equal(await count(), open.maxConnections);
    assert.equal(closed.filter(Boolean).length, 400 - open.maxConnections);
    for (const socket of sockets) socket.destroy();
    for (let waited = 0; (await count()) > 0 && waited < 20_000; waited += 50) await sleep(50);
    assert.equal((await fetch(`http://127.0.0.1:${at}/`)).status, 200);
    open.closeAllConnections();
    open.close();
  });

  test('says that a port is taken, and what was expected', async () => {
    await assert.rejects(listenLocally(labServer({ lab: join(top, 'lab') }), port), {
      name: 'UsageError',
      message: `The lab cannot have port ${port}: another program listens there. Expected a free port; --port 0 takes one.`,
    });
  });

  test('without a run there is nothing under /run/', async () => {
    const bare = labServer({ lab: join(top, 'lab') });
    await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
    const { port: other } = bare.address() as AddressInfo;
    assert.equal((await fetch(`http://127.0.0.1:${other}/run/run.json`)).status, 404);
    bare.close();
  });
});
