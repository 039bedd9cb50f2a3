import { type Command, Option } from 'commander';
import { type GeneratedByte, generate } from '../src/index.ts';
import { isText } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { count, number, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { millions, percent } from './table.ts';
import { runUser, type UseFlags, useRun } from './use-run.ts';

interface GenerateFlags extends UseFlags {
  prompt: string;
  bytes: number;
  temperature: number;
  seed: number;
  context?: number;
  mode: 'threshold' | 'mean-field';
  json?: boolean;
}

/** Of a terminal that does not say. */
const COLUMNS = 80;
/** Eighths of a line. */
const BARS = ' ▁▂▃▄▅▆▇█';

/** `flipgrad generate`. */
export function generateCommand(): Command {
  return runUser(
    'generate',
    'Let a run that was trained on text write, and show which share of its gates woke for every byte.',
  )
    .option('--prompt <text>', 'start of the text, which the run continues', '\n')
    .option('--bytes <n>', 'how many bytes to write', count, 200)
    .option(
      '--temperature <t>',
      'below 1, probable bytes come more often; 0 always takes the most probable byte',
      number,
      1,
    )
    .option(
      '--context <n>',
      'bytes that a model of sequences reads; at most its number of positions (default: as in training)',
      count,
    )
    .option('--seed <n>', 'of the draws', wholeNumber, 1)
    .addOption(
      new Option('--mode <mode>', 'how gates decide').choices(['threshold', 'mean-field']).default('threshold'),
    )
    .action(run);
}

async function run(folder: string, flags: GenerateFlags): Promise<void> {
  const { prompt, bytes, temperature, seed: drawnBy, mode, context, json = !process.stdout.isTTY } = flags;
  await useRun(folder, { ...flags, threads: 1 }, async ({ run: opened, model, task }) => {
    if (model.outputs !== 256 || (task.data !== 'tokens' && !isText(opened.record.data.source)))
      throw new UsageError(
        `${folder} was trained on ${opened.record.data.name} (${task.name}, ${model.outputs} outputs). Expected a run on text: --data text:PATH, or --task next-token.`,
      );
    const most = context ?? opened.record.data.context;
    const options = {
      prompt: new TextEncoder().encode(prompt),
      bytes,
      temperature,
      seed: drawnBy,
      mode,
      ...(most !== undefined && { context: most }),
    } as const;
    const line: GeneratedByte[] = [];
    const all = { open: 0, multiplyAdds: 0, points: 0, nats: 0 };
    for (const written of generate(model, options)) {
      all.open += written.open / bytes;
      all.multiplyAdds += written.multiplyAdds / bytes;
      all.points += written.points / bytes;
      all.nats -= Math.log(written.probability) / bytes;
      if (json) printJson({ ...written, text: shown(written.byte) });
      else if (line.push(written) === (process.stdout.columns || COLUMNS) || written.byte === 10) show(line);
    }
    if (json) return;
    show(line);
    const { dense, gater } = model.cost;
    print(
      `\n${bytes} bytes; gates open ${percent(all.open, 1)}; multiply-adds a byte ${millions(all.multiplyAdds)} of ${millions((dense + gater) * all.points)}; ${(all.nats / Math.LN2).toFixed(2)} bits a byte by the model\n`,
    );
  });
}

/** A line of text, and under it how many gates woke, in eighths of the most. */
function show(line: GeneratedByte[]): void {
  if (line.length === 0) return;
  const most = Math.max(...line.map(({ open }) => open), Number.EPSILON);
  print(`${line.map(({ byte }) => shown(byte)).join('')}\n`);
  if (line.some(({ gates }) => gates.length > 0))
    print(`${line.map(({ open }) => BARS[Math.round((8 * open) / most)]).join('')}\n`);
  line.length = 0;
}

/** A byte as one column of text. */
const shown = (byte: number): string =>
  byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte === 10 ? '⏎' : '·';
