/** Tells when code reads chance, a clock, or the machine that it runs on: what a function of its arguments alone does not. */

import { createRequire, syncBuiltinESMExports } from 'node:module';

/** Modules of Node that reach outside; a fresh context of `vm` has a clock and chance of its own. */
const OUTSIDE = [
  ...['fs', 'fs/promises', 'os', 'child_process', 'worker_threads', 'cluster', 'perf_hooks', 'v8', 'vm', 'inspector'],
  ...['net', 'dgram', 'dns', 'dns/promises', 'http', 'https', 'http2', 'tls', 'readline', 'tty', 'timers/promises'],
];
/** Functions of `process`, and its values. */
const FUNCTIONS = [
  ...['hrtime', 'uptime', 'cpuUsage', 'threadCpuUsage', 'resourceUsage', 'memoryUsage', 'constrainedMemory'],
  ...[
    'availableMemory',
    'getActiveResourcesInfo',
    'cwd',
    'umask',
    'getuid',
    'geteuid',
    'getgid',
    'getegid',
    'getgroups',
  ],
  ...['binding', 'dlopen', 'loadEnvFile'],
] as const;
const VALUES = ['env', 'pid', 'ppid', 'title', 'argv', 'argv0', 'execArgv', 'execPath', 'report'] as const;
/** What goes on after the call that starts it, and may count meanwhile. */
const LASTING = ['worker_threads.Worker', 'child_process.'];

let read: string | undefined;
let running: string | undefined;

/** What has been read outside since `forgetOutside`, or was started at any time. */
export const readOutside = (): string | undefined => read ?? running;

/** Forgets what has been read outside. What was started and goes on is not forgotten. */
export function forgetOutside(): void {
  read = undefined;
}

function tell(label: string): void {
  read ??= label;
  if (LASTING.some((start) => label.startsWith(start))) running ??= label;
}

type Owner = Record<PropertyKey, unknown>;

/** Puts a function or class that tells in the place of the one that is there, and of those that it holds. */
function watch(of: object, name: string, label: string): void {
  const owner = of as Owner;
  const original = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown;
  if (typeof original !== 'function') return;
  for (const inner of Object.keys(original)) watch(original, inner, `${label}.${inner}`);
  const value = new Proxy(original, {
    apply(target, self, args) {
      tell(label);
      return Reflect.apply(target, self, args) as unknown;
    },
    construct(target, args, own) {
      tell(label);
      return Reflect.construct(target, args, own) as object;
    },
  });
  // What cannot be replaced is found by replay.
  Reflect.defineProperty(owner, name, { value, configurable: true, writable: true });
}

const watchEach = (owner: object, names: readonly string[], label: string): void => {
  for (const name of names) watch(owner, name, `${label}.${name}`);
};

/** Puts a value that tells when it is read in the place of the one that is there. */
function watchValue(owner: object, name: string, label: string): void {
  let value = (owner as Owner)[name];
  const get = (): unknown => {
    tell(label);
    return value;
  };
  Reflect.defineProperty(owner, name, { get, set: (next) => (value = next), configurable: true });
}

/** A date with arguments is what they say; without any it is now. */
function watchDates(): void {
  const native = Date;
  globalThis.Date = new Proxy(native, {
    apply(target, self, args) {
      tell('Date');
      return Reflect.apply(target, self, args) as unknown;
    },
    construct(target, args, own) {
      if (args.length === 0) tell('Date');
      return Reflect.construct(target, args, own) as object;
    },
  });
  watch(native, 'now', 'Date.now');
  Reflect.defineProperty(native.prototype, 'constructor', { value: Date, configurable: true, writable: true });
  const format = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format')?.get;
  Reflect.defineProperty(Intl.DateTimeFormat.prototype, 'format', {
    get(this: Intl.DateTimeFormat): (date?: Date | number) => string {
      tell('Intl.DateTimeFormat');
      return format?.call(this) as (date?: Date | number) => string;
    },
    configurable: true,
  });
  watch(Intl.DateTimeFormat.prototype, 'formatToParts', 'Intl.DateTimeFormat');
}

/** From now on. What was taken out of these modules before goes unseen. */
export function watchOutside(): void {
  const require = createRequire(import.meta.url);
  watch(Math, 'random', 'Math.random');
  watch(WeakRef.prototype, 'deref', 'WeakRef');
  watchDates();
  watchEach(Object.getPrototypeOf(performance) as object, ['now', 'mark', 'measure', 'toJSON'], 'performance');
  watchEach(performance, ['now', 'mark', 'measure', 'toJSON', 'eventLoopUtilization'], 'performance');
  watchEach(process, FUNCTIONS, 'process');
  for (const name of VALUES) watchValue(process, name, `process.${name}`);
  watchEach(Object.getPrototypeOf(globalThis.crypto) as object, ['getRandomValues', 'randomUUID'], 'crypto');
  const crypto = require('node:crypto') as object;
  watchEach(
    crypto,
    Object.keys(crypto).filter((name) => /^(random|generate|getRandom)/.test(name)),
    'crypto',
  );
  for (const name of OUTSIDE) {
    const exported = require(`node:${name}`) as object;
    watchEach(exported, Object.keys(exported), name);
  }
  syncBuiltinESMExports();
}
