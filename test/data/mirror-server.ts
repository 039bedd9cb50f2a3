import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** A request that reached a mirror. */
export interface SeenRequest {
  mirror: string;
  range: string | undefined;
}

/** How a mirror answers: `http://127.0.0.1:port/<mirror>/<file>`. */
export type Mirror =
  /** The file, with ranges and an ETag. */
  | 'good'
  /** Closes the connection after half of what it announced; later requests are answered in full. */
  | 'closes-early'
  /** As `closes-early`, but with another ETag and other bytes the second time. */
  | 'changes'
  /** Other bytes of the right length. */
  | 'corrupted'
  /** The file, ranges ignored; its first answer closes early. */
  | 'no-range'
  /** 404. */
  | 'missing'
  /** Sends a little and then nothing. */
  | 'stalled'
  /** Never answers at all. */
  | 'silent'
  /** Announces a gigabyte. */
  | 'announces'
  /** Sends other bytes for as long as it is listened to, and announces nothing. */
  | 'endless';

/** A local server with all mirrors of some files. */
export interface MirrorServer {
  base(mirror: Mirror): string;
  seen: SeenRequest[];
  close(): Promise<void>;
}

/** Answers with the bytes from the range on, if any. */
function send(response: ServerResponse, bytes: Uint8Array, range: string | undefined, etag: string): void {
  const from = range ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0;
  const headers: Record<string, string | number> = { etag, 'content-length': bytes.length - from };
  if (range) headers['content-range'] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(range ? 206 : 200, headers).end(bytes.subarray(from));
}

/** Announces all bytes, sends half, and cuts the connection once they are out. */
function sendHalf(response: ServerResponse, bytes: Uint8Array, etag: string): void {
  response.writeHead(200, { etag, 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => setTimeout(() => response.destroy(), 30));
}

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(2 ** 16);
}

/** The answer of each mirror; `times` counts the requests to it, this one included. */
function answer(mirror: Mirror, bytes: Uint8Array, request: IncomingMessage, response: ServerResponse, times: number) {
  const { range } = request.headers;
  const wrong = bytes.map((byte) => byte ^ 1);
  switch (mirror) {
    case 'good':
      return send(response, bytes, range, '"1"');
    case 'closes-early':
      return times === 1 ? sendHalf(response, bytes, '"1"') : send(response, bytes, range, '"1"');
    case 'changes':
      return times === 1 ? sendHalf(response, wrong, '"1"') : send(response, bytes, range, '"2"');
    case 'corrupted':
      return send(response, wrong, range, '"1"');
    case 'no-range':
      return times === 1 ? sendHalf(response, bytes, '"1"') : send(response, bytes, undefined, '"1"');
    case 'missing':
      return response.writeHead(404).end('none');
    case 'stalled':
      response.writeHead(200, { 'content-length': bytes.length });
      return response.write(bytes.subarray(0, 10));
    case 'silent':
      return;
    case 'announces':
      response.writeHead(200, { 'content-length': 2 ** 30 });
      return response.write(bytes);
    case 'endless':
      response.writeHead(200);
      return Readable.from(endless()).pipe(response);
  }
}

/** Serves files on a free port of 127.0.0.1. */
export async function mirrorServer(files: Readonly<Record<string, Uint8Array>>): Promise<MirrorServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const [, mirror, file] = (request.url ?? '').split('/');
    seen.push({ mirror, range: request.headers.range });
    const times = seen.filter((other) => other.mirror === mirror).length;
    answer(files[file] ? (mirror as Mirror) : 'missing', files[file], request, response, times);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    base: (mirror) => `http://127.0.0.1:${port}/${mirror}/`,
    seen,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}
