import { Command } from 'commander';
import { type Engine, type InferenceMode, type Model, type Run, runModel, type Task } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { codeOfRun, type OwnFlags, type RunCode, withOwnCode } from './own-code.ts';
import { openRun, taskOfRun } from './run-folder.ts';

/** Modes in which a trained network is used. */
export const MODES: readonly InferenceMode[] = ['threshold', 'mean-field', 'sample', 'ensemble'];

export interface UseFlags extends OwnFlags {
  readonly threads?: number;
  readonly blas?: string;
}

/** What --net is to commands on runs. */
export const OF_A_RUN = 'the file of a network of your own, which the run began with';

/** Opens a run with the model of its best epoch on an engine like its own, for as long as `use` takes. */
export async function useRun(
  folder: string,
  flags: UseFlags,
  use: (using: { run: Run; engine: Engine; model: Model; from: string; code: RunCode; task: Task }) => Promise<void>,
): Promise<void> {
  const { threads, blas } = flags;
  const run = await openRun(folder);
  const code = await codeOfRun(run, flags);
  const task = taskOfRun(run, code);
  const { simd, blas: own, crossovers } = run.record.engine;
  const engine = await createEngine({
    simd: simd as 'auto' | 'simd' | 'relaxed',
    blas: blas ?? own,
    crossovers,
    ...(threads !== undefined && { threads }),
  });
  try {
    await use({ run, engine, code, task, ...(await runModel(run, engine, code)) });
  } finally {
    engine.close();
  }
}

/** A command on a trained run: its folder, threads, BLAS, JSON. */
export const runUser = (name: string, description: string): Command =>
  withOwnCode(
    new Command(name)
      .description(description)
      .exitOverride()
      .argument('<folder>', 'the folder of a run')
      .option('--blas <lib>', 'auto, off, or the path of a library (default: as in training)')
      .option('--json', 'print one JSON object per line (the default if standard output is no terminal)'),
    OF_A_RUN,
  );
