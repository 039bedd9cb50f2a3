import type { Command } from 'commander';
import { adviseCommand } from '../../cli/advise.ts';
import { auditCommand } from '../../cli/audit.ts';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { runsCommand } from '../../cli/runs.ts';
import { showCommand } from '../../cli/show.ts';
import { trainCommand } from '../../cli/train.ts';
import { argumentsOf, type GoodRuns, type Reader } from '../helpers/hostile-runs.ts';

/** Every command that reads the folder of a run. */
export type AnyReader = Reader | 'audit' | 'advise';

const commands: Readonly<Record<AnyReader, () => Command>> = {
  show: showCommand,
  runs: runsCommand,
  evaluate: evaluateCommand,
  predict: predictCommand,
  export: exportCommand,
  resume: trainCommand,
  audit: auditCommand,
  advise: adviseCommand,
};

export const READERS = Object.keys(commands) as AnyReader[];
export const commandOf = (reader: AnyReader): Command => commands[reader]();

/** Its words, with the command's name first. */
export function wordsOf(reader: AnyReader, run: string, good: GoodRuns): string[] {
  if (reader === 'audit') return ['audit', '--run', run, '--rows', '4', '--repeats', '12', '--threads', '1'];
  if (reader === 'advise')
    return ['advise', '--run', run, '--seconds', '0.2', '--seeds', '3', '--threads', '1', '--blas', 'off'];
  const machine = reader === 'evaluate' || reader === 'resume' ? ['--threads', '1'] : [];
  return [reader === 'resume' ? 'train' : reader, ...argumentsOf(reader, run, good), ...machine];
}
