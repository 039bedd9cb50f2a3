/** The command line: commands are thin; they run the public API. */
import { Command } from 'commander';
import { packageVersion } from '../src/platform/node/own-package.ts';
import { onceEach } from './options.ts';
import { print, printError } from './output.ts';

/** Every command, in the order of the help. Its file is loaded when it is asked for: all of them take a second. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./train.ts')).trainCommand(),
  runs: async () => (await import('./runs.ts')).runsCommand(),
  show: async () => (await import('./show.ts')).showCommand(),
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand(),
  predict: async () => (await import('./predict.ts')).predictCommand(),
  generate: async () => (await import('./generate.ts')).generateCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  sweep: async () => (await import('./sweep.ts')).sweepCommand(),
  worker: async () => (await import('./worker.ts')).workerCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  advise: async () => (await import('./advise.ts')).adviseCommand(),
  reproduce: async () => (await import('./reproduce.ts')).reproduceCommand(),
  microscope: async () => (await import('./microscope.ts')).microscopeCommand(),
  race: async () => (await import('./race.ts')).raceCommand(),
  lab: async () => (await import('./lab.ts')).labCommand(),
  bench: async () => (await import('./bench.ts')).benchCommand(),
};

/**
 * The program with the command that the words begin with; with all where they begin with none, for its help and for
 * suggestions.
 */
export async function programFor([first]: readonly string[]): Promise<Command> {
  const asked = first !== undefined && Object.hasOwn(COMMANDS, first) ? [COMMANDS[first]] : Object.values(COMMANDS);
  const program = new Command('flipgrad')
    .description('Train neural networks with stochastic neurons, and make sparse gates pay.')
    .version(packageVersion(), '-v, --version')
    .exitOverride()
    .showSuggestionAfterError();
  for (const command of asked) program.addCommand(await (command as () => Promise<Command>)());
  for (const command of program.commands) onceEach(command);
  // Every error begins with the program's name, those of options too.
  for (const command of [program, ...program.commands])
    command.configureOutput({
      writeOut: print,
      writeErr: printError,
      outputError: (text, write) => write(text.replace(/^error: /, 'flipgrad: ')),
    });
  return program;
}
