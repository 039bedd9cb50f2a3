import type logUpdate from 'log-update';
import { createLogUpdate } from 'log-update';

/** One line at the foot of the terminal that is drawn again and again, on standard error. */
export interface Progress {
  /** @param share done, in [0, 1] */
  draw(label: string, share: number, facts: readonly string[]): void;
  /** Removes the line. */
  clear(): void;
  /** Prints a line that stays, above the progress line. */
  print(line: string): void;
}

const WIDTH = 24;
/** Time between two drawings, in milliseconds. */
const INTERVAL = 80;

/** Progress on a terminal; silent when standard error is none. */
export function terminalProgress(): Progress {
  if (!process.stderr.isTTY) return { draw() {}, clear() {}, print: (line) => process.stderr.write(`${line}\n`) };
  const update: typeof logUpdate = createLogUpdate(process.stderr);
  let last = 0;
  return {
    draw(label, share, facts) {
      const now = performance.now();
      if (now - last < INTERVAL && share < 1) return;
      last = now;
      const filled = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      update([`${label} ${bar} ${(100 * share).toFixed(0).padStart(3)}%`, ...facts].join(' · '));
    },
    clear: () => update.clear(),
    print(line) {
      update.clear();
      process.stderr.write(`${line}\n`);
      last = 0;
    },
  };
}

/** Seconds for people: `42 s`, `3 min 05 s`, `1 h 07 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}
