import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { nodeFolder } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { type FileFacts, packer, replyTo } from './served-file.ts';

/** The folders that are served, and nothing else. */
export interface LabFolders {
  /** The built lab: everything under /. */
  readonly lab: string;
  /** A run: everything under /run/. An address that ends in / lists a folder of it, as JSON. */
  readonly run?: string | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.jpg': 'image/jpeg',
};

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  // What threads need: without both a page's workers cannot share memory.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/**
 * Files of a run are anybody's: pages read them as data, and no browser may run or draw one. As text or a download they are no document, script or
 * style, and `sandbox` takes the lab's origin from whatever a browser makes of them all the same.
 */
const RUN_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
};
const RUN_TEXT = new Set(['.json', '.jsonl', '.csv', '.txt', '.log', '.md']);

const LOOPBACK = '127.0.0.1';
/** More connections than a few pages with their workers want are closed at once. */
const MOST_CONNECTIONS = 128;
/** A connection on which nothing moves for so long is closed, in milliseconds. */
const SILENCE = 60_000;

/** A name of this machine that only it can reach; anything else is a page elsewhere that calls itself us. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** A server of these folders; the caller has it listen, on a loopback address. */
export function labServer(folders: LabFolders): Server {
  const server = createServer((request, response) => {
    answer(folders, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The file could not be read.');
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE);
  return server;
}

/**
 * Has a server listen where only this machine reaches it. @returns the port
 * @throws UsageError when the port is taken or not allowed
 */
export async function listenLocally(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainedPort(error, port)));
    server.listen(port, LOOPBACK, resolve);
  });
  return (server.address() as AddressInfo).port;
}

const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not listen there',
};

function explainedPort(error: NodeJS.ErrnoException, port: number): Error {
  const reason = REFUSALS[error.code ?? ''];
  if (reason === undefined) return error;
  return new UsageError(`The lab cannot have port ${port}: ${reason}. Expected a free port; --port 0 takes one.`);
}

async function answer(folders: LabFolders, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!LOCAL_HOST.test(request.headers.host ?? ''))
    return refuse(response, 403, 'This server answers to localhost only.');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'This server reads files. Expected GET.');
  const headers = { ...HEADERS, ...(await headersOf(folders)) };
  const names = await findNames(folders, request.url ?? '');
  if (names) {
    const text = JSON.stringify(names);
    response.writeHead(200, {
      ...headers,
      ...RUN_HEADERS,
      'Content-Type': TYPES['.json'],
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
    return;
  }
  const found = await findFile(folders, request.url ?? '');
  if (!found) return refuse(response, 404, 'There is no such file.');
  try {
    const type = typeOf(found);
    const { status, bytes, coding, headers: own } = replyTo(request, found.facts, type['Content-Type']);
    response.writeHead(status, { ...headers, ...type, ...own });
    if (request.method === 'HEAD' || bytes[0] === bytes[1]) response.end();
    // Ends either way: with a reader that goes away too, at any moment.
    else if (coding) await pipeline(contents(found, bytes), packer(coding), response);
    else await pipeline(contents(found, bytes), response);
  } finally {
    await found.file.close();
  }
}

/** What is sent of a file: as much as was told. Content-Length is sent before: what the file gains later is left out. @throws Error when it loses some */
async function* contents(
  { name, file }: Found,
  [from, to]: readonly [number, number],
): AsyncGenerator<Uint8Array, void> {
  let left = to - from;
  for await (const piece of file.createReadStream({ autoClose: false, start: from, end: to - 1 })) {
    left -= piece.length;
    yield piece;
  }
  if (left > 0) throw new Error(`${name} became shorter while it was read.`);
}

function typeOf({ name, ofRun }: Found): Readonly<Record<'Content-Type', string>> & Readonly<Record<string, string>> {
  const ending = extname(name);
  if (!ofRun) return { 'Content-Type': TYPES[ending] ?? 'application/octet-stream' };
  if (RUN_TEXT.has(ending)) return { ...RUN_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' };
  return { ...RUN_HEADERS, 'Content-Type': 'application/octet-stream', 'Content-Disposition': 'attachment' };
}

/** What a page wants to know without asking for files that may not be there: the run's name, and whether somebody is writing it. */
async function headersOf({ run }: LabFolders): Promise<Record<string, string>> {
  if (run === undefined) return {};
  const locked = await nodeFolder(run).locked();
  return { 'Flipgrad-Run': encodeURIComponent(basename(run)), 'Flipgrad-Run-Locked': locked ? 'yes' : 'no' };
}

interface Found {
  readonly name: string;
  readonly ofRun: boolean;
  readonly file: FileHandle;
  readonly facts: FileFacts;
}

/** The plain file that an address means, opened; undefined where there is none within the folders. */
async function findFile({ lab, run }: LabFolders, url: string): Promise<Found | undefined> {
  const segments = segmentsOf(url);
  if (!segments) return undefined;
  const ofRun = segments[0] === 'run';
  const root = ofRun ? run : lab;
  if (root === undefined) return undefined;
  const within = ofRun ? segments.slice(1) : segments.length === 0 ? ['index.html'] : segments;
  if (within.length === 0) return undefined;
  const path = await placeOf(root, within, (facts) => facts.isFile());
  if (path === undefined) return undefined;
  // Without waiting: it may have become a pipe meanwhile.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  const facts = await file.stat({ bigint: true });
  if (facts.isFile()) return { name: path, ofRun, file, facts };
  await file.close();
  return undefined;
}

/** What is in the folder of the run that an address means; undefined where it means none. Only what is served is listed. */
async function findNames({ run }: LabFolders, url: string): Promise<string[] | undefined> {
  const address = url.split(/[?#]/)[0];
  if (run === undefined || !address.endsWith('/')) return undefined;
  const segments = segmentsOf(address.slice(0, -1));
  if (segments?.[0] !== 'run') return undefined;
  const path = await placeOf(run, segments.slice(1), (facts) => facts.isDirectory());
  if (path === undefined) return undefined;
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() || entry.isDirectory()) && PLAIN.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Follows names down from a folder. Undefined where they lead to nothing, to what does not do, or over a link: links may lead out. */
async function placeOf(
  root: string,
  names: readonly string[],
  does: (facts: Stats) => boolean,
): Promise<string | undefined> {
  let path = root;
  for (const [i, name] of names.entries()) {
    path = join(path, name);
    const facts = await factsOf(path);
    if (!facts || !(i < names.length - 1 ? facts.isDirectory() : does(facts))) return undefined;
  }
  return path;
}

const factsOf = (path: string): Promise<Stats | undefined> => lstat(path).catch(() => undefined);

/** A name that is not hidden, and leads nowhere else on any system. */
const PLAIN = /^[^./\\\0:][^/\\\0:]*$/;

/** The names in an address's path; undefined where one is no plain name. The address is taken as it came, not tidied first. */
function segmentsOf(url: string): string[] | undefined {
  const path = url.split(/[?#]/)[0];
  if (!path.startsWith('/')) return undefined;
  let names: string[];
  try {
    names = path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (names.length === 1 && names[0] === '') return [];
  return names.every((name) => PLAIN.test(name)) ? names : undefined;
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${sentence}\n`);
}
