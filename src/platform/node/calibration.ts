import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { areCrossovers, type Crossovers } from '../../backend/crossovers.ts';
import type { EngineOptions } from '../../backend/engine.ts';
import { makeFolders } from './make-folders.ts';

/** Where crossovers measured on this machine are kept: $FLIPGRAD_CALIBRATION, else ~/.cache/flipgrad/calibration.json. */
export function calibrationFile(): string {
  return process.env.FLIPGRAD_CALIBRATION ?? join(homedir(), '.cache', 'flipgrad', 'calibration.json');
}

/** What a calibration holds for: the processor, the version of V8, the threads, the kernel build and BLAS. */
function keyOf({ threads, simd = 'auto', blas = 'off' }: EngineOptions): string {
  return [cpus()[0]?.model ?? 'unknown', `V8 ${process.versions.v8}`, `${threads ?? 'all'} threads`, simd, blas].join(
    ' | ',
  );
}

function readAll(): Record<string, unknown> {
  try {
    const all: unknown = JSON.parse(readFileSync(calibrationFile(), 'utf8'));
    return typeof all === 'object' && all !== null ? (all as Record<string, unknown>) : {};
  } catch {
    // No file yet, or a damaged one: the defaults are used.
    return {};
  }
}

/** The crossovers kept for engines made with these options on this machine; undefined when there are none. */
export function readCalibration(options: EngineOptions): Crossovers | undefined {
  const kept = readAll()[keyOf(options)];
  return areCrossovers(kept) && Object.keys(kept).length > 0 ? kept : undefined;
}

/** Keeps crossovers for engines made with these options on this machine. */
export function saveCalibration(options: EngineOptions, crossovers: Crossovers): void {
  const file = calibrationFile();
  makeFolders(dirname(file));
  writeFileSync(`${file}.part`, `${JSON.stringify({ ...readAll(), [keyOf(options)]: crossovers }, null, 2)}\n`);
  renameSync(`${file}.part`, file);
}
