import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { labServer } from '../../cli/lab-server.ts';
import { nodeFolder } from '../../src/platform/node/index.ts';

let top: string;
let server: Server;
let port: number;

before(async () => {
  top = mkdtempSync(join(tmpdir(), 'flipgrad-lab-'));
  for (const folder of ['lab/assets', 'run/checkpoints/epoch 1', 'run/.part', 'outside'])
    mkdirSync(join(top, folder), { recursive: true });
  writeFileSync(join(top, 'lab/index.html'), '<p>the lab</p>');
  writeFileSync(join(top, 'lab/assets/a b.js'), 'export {};');
  writeFileSync(join(top, 'lab/empty.css'), '');
  writeFileSync(join(top, 'lab/.hidden'), 'SECRET');
  writeFileSync(join(top, 'run/run.json'), '{"run":1}');
  writeFileSync(join(top, 'run/.hidden'), 'SECRET');
  writeFileSync(join(top, 'outside/secret'), 'SECRET');
  symlinkSync(join(top, 'outside/secret'), join(top, 'lab/link.js'));
  symlinkSync(join(top, 'outside'), join(top, 'lab/folder'));
  symlinkSync(join(top, 'outside/secret'), join(top, 'run/link.json'));
  symlinkSync(join(top, 'outside'), join(top, 'run/folder'));
  server = labServer({ lab: join(top, 'lab'), run: join(top, 'run') });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
after(() => {
  server.close();
  rmSync(top, { recursive: true, force: true });
});

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
    assert.deepEqual(await names('/run/'), ['checkpoints', 'run.json']);
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

  test('refuses other methods, and other names for this machine', async () => {
    assert.match(await ask('/', { method: 'POST' }), /^HTTP\/1\.1 405 /);
    for (const host of ['example.org', `evil.localhost.example:${port}`, '127.0.0.1.example', ''])
      assert.match(await ask('/', { host }), /^HTTP\/1\.1 40[03] /, host);
    assert.match(await ask('/', { host: `127.0.0.1:${port}` }), /^HTTP\/1\.1 200 /);
  });

  test('without a run there is nothing under /run/', async () => {
    const bare = labServer({ lab: join(top, 'lab') });
    await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
    const { port: other } = bare.address() as AddressInfo;
    assert.equal((await fetch(`http://127.0.0.1:${other}/run/run.json`)).status, 404);
    bare.close();
  });
});
