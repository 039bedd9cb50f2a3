import type logUpdate from 'log-update';
import { plainLine, printError } from './output.ts';

/** One line at the foot of the terminal that is drawn again and again, on standard error. */
export interface Progress {
  /** @param share done, in [0, 1] */
  draw(label: string, share: number, facts: readonly string[]): void;
  /** Removes the line. */
  clear(): void;
  /** Prints a line that stays, above the progress line. */
  print(line: string): void;
}

/** The bar's cells: at most, and where there are fewer there is none. */
const WIDTH = 24;
const NARROWEST = 6;
/** Of a terminal that does not say. */
const COLUMNS = 80;
/** Loaded for terminals alone: it takes a tenth of the time in which a command starts. */
const drawing = process.stderr.isTTY && process.env.TERM !== 'dumb' ? await import('log-update') : undefined;
/** Time between two drawings, in milliseconds. */
const INTERVAL = 80;

/** Progress on a terminal; silent when standard error is none, or one that cannot move its cursor. */
export function terminalProgress(): Progress {
  if (drawing === undefined) return { draw() {}, clear() {}, print: (line) => printError(`${line}\n`) };
  // A hidden cursor would have to be shown again at the end, whatever the end: the library then takes all signals to itself.
  const update: typeof logUpdate = drawing.createLogUpdate(process.stderr, { showCursor: true });
  let last = 0;
  return {
    draw(label, share, facts) {
      const now = performance.now();
      if (now - last < INTERVAL && share < 1) return;
      last = now;
      update(progressLine(label, share, facts, process.stderr.columns || COLUMNS));
    },
    clear: () => update.clear(),
    print(line) {
      update.clear();
      printError(`${line}\n`);
      last = 0;
    },
  };
}

/**
 * One line, shorter than `columns`. If it is too long, the bar shrinks and disappears, then the facts from the first on; the last fact is the
 * time left.
 */
export function progressLine(name: string, share: number, facts: readonly string[], columns: number): string {
  const room = columns - 1;
  const label = plainLine(name);
  const percent = `${(100 * share).toFixed(0).padStart(3)}%`;
  const without = (left: readonly string[]): string => [`${label} ${percent}`, ...left].join(' · ');
  const left = facts.map(plainLine);
  while (left.length > 0 && without(left).length > room) left.shift();
  const width = Math.min(WIDTH, room - without(left).length - 1);
  if (width < NARROWEST) return [...without(left)].slice(0, room).join('');
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return [`${label} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${percent}`, ...left].join(' · ');
}

/** Seconds for people: `42 s`, `3 min 05 s`, `1 h 07 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}
