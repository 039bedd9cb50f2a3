/** Trains each line of arguments that standard input has, one after the other in one process. */
import { createInterface } from 'node:readline';
import { trainCommand } from '../../cli/train.ts';

for await (const line of createInterface({ input: process.stdin }))
  await trainCommand().parseAsync(JSON.parse(line), { from: 'user' });
