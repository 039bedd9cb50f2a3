/** The command line: commands are thin; they run the public API. */
import { Command } from 'commander';
import { packageVersion } from '../src/platform/node/index.ts';
import { adviseCommand } from './advise.ts';
import { auditCommand } from './audit.ts';
import { benchCommand } from './bench.ts';
import { evaluateCommand } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { labCommand } from './lab.ts';
import { microscopeCommand } from './microscope.ts';
import { print, printError } from './output.ts';
import { predictCommand } from './predict.ts';
import { raceCommand } from './race.ts';
import { reproduceCommand } from './reproduce.ts';
import { runsCommand } from './runs.ts';
import { showCommand } from './show.ts';
import { sweepCommand } from './sweep.ts';
import { trainCommand } from './train.ts';
import { verifyCommand } from './verify.ts';
import { workerCommand } from './worker.ts';

export const program = new Command('flipgrad')
  .description('Train neural networks with stochastic neurons, and make sparse gates pay.')
  .version(packageVersion(), '-v, --version')
  .exitOverride()
  .showSuggestionAfterError()
  .addCommand(trainCommand())
  .addCommand(runsCommand())
  .addCommand(showCommand())
  .addCommand(evaluateCommand())
  .addCommand(predictCommand())
  .addCommand(exportCommand())
  .addCommand(sweepCommand())
  .addCommand(workerCommand())
  .addCommand(auditCommand())
  .addCommand(verifyCommand())
  .addCommand(adviseCommand())
  .addCommand(reproduceCommand())
  .addCommand(microscopeCommand())
  .addCommand(raceCommand())
  .addCommand(labCommand())
  .addCommand(benchCommand());

// Every error begins with the program's name, those of options too.
for (const command of [program, ...program.commands])
  command.configureOutput({
    writeOut: print,
    writeErr: printError,
    outputError: (text, write) => write(text.replace(/^error: /, 'flipgrad: ')),
  });
