import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { slow } from './extent.ts';

/** Where Postgres' programs lie: the newest of Debian's, else the first in the path; undefined where it is not installed. */
function programs(): string | undefined {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => versionOf(b) - versionOf(a));
  return [...debian, ...(process.env.PATH ?? '').split(delimiter)].find((folder) => existsSync(join(folder, 'pg_ctl')));
}

const versionOf = (path: string): number => Number(path.split('/')[4]);

/** Why nothing is tested with Postgres; false where it is. */
export const noPostgres: string | false =
  slow || (programs() === undefined && "Postgres is not installed. Expected Debian's package postgresql");

export interface TestServer {
  readonly url: string;
  /** Stops it at once, as a crash does not and an operator would, and starts it again. */
  restart(): void;
  stop(): void;
}

/** A Postgres server of its own on a free port, in a temporary folder. Servers refuse root, who starts it as the user postgres. */
export async function startPostgres(settings: readonly string[] = []): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-postgres-'));
  const [data, port] = [join(folder, 'data'), await freePort()];
  const root = process.getuid?.() === 0;
  if (root) {
    chmodSync(folder, 0o755);
    execFileSync('chown', ['postgres', folder]);
  }
  const user = root ? 'postgres' : (process.env.USER ?? 'postgres');
  const command = (name: string, ...args: string[]): void => {
    const program = join(programs() as string, name);
    const [file, ...all] = root ? ['runuser', '-u', 'postgres', '--', program, ...args] : [program, ...args];
    execFileSync(file, all, { cwd: folder, stdio: 'ignore', timeout: 120_000 });
  };
  const options = [`-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`, ...settings].join(' ');
  const control = (...args: string[]) =>
    command('pg_ctl', '-D', data, '-w', '-t', '100', '-l', join(folder, 'log'), ...args);
  command('initdb', '-D', data, '-A', 'trust', '-E', 'UTF8', '--no-locale');
  control('-o', options, 'start');
  return {
    url: `postgres://${user}@127.0.0.1:${port}/postgres`,
    restart: () => control('-o', options, '-m', 'fast', 'restart'),
    stop() {
      control('-m', 'immediate', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
