#!/usr/bin/env node
/** Runs the command line. The program is imported inside `try`, so that an error while it loads is a sentence too. */
import { ExitCode, explain, guardErrors } from './exit.ts';
import { guardOutput, printError } from './output.ts';

guardOutput();
guardErrors(printError);

try {
  const { programFor } = await import('./program.ts');
  await (await programFor(process.argv.slice(2))).parseAsync();
} catch (error) {
  if ((error as { name?: unknown } | null)?.name === 'CommanderError')
    process.exitCode = (error as { exitCode?: unknown }).exitCode === 0 ? ExitCode.done : ExitCode.badUsage;
  else {
    const { text, code } = explain(error);
    if (text !== '') printError(`${text}\n`);
    process.exitCode = code;
  }
}
