import { extname, join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  exportOneFile,
  exportOnnx,
  type FrozenMode,
  type Model,
  type RunRecord,
  saveModel,
  type Task,
} from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { print, printJson } from './output.ts';
import { runUser, type UseFlags, useRun } from './use-run.ts';
import { writeFile } from './write-file.ts';

interface ExportFlags extends UseFlags {
  format?: keyof typeof formats;
  mode?: FrozenMode;
  gates?: 'skip' | 'plain';
  out?: string;
  json?: boolean;
}

/** What a format makes of a model: the bytes, and facts about them to tell. */
interface Exported {
  readonly bytes: Uint8Array;
  readonly facts: Readonly<Record<string, string | readonly string[]>>;
}

/** Every format: the name of its file, the flags that it takes, and how it is made. */
const formats = {
  onnx: {
    file: 'model.onnx',
    takes: ['mode', 'gates'],
    make(model: Model, { mode, gates }: ExportFlags, { data }: RunRecord, task: Task): Exported {
      const told = { task, table: data.table };
      const { bytes, skips } = exportOnnx(model, { ...told, ...(mode && { mode }), ...(gates && { gates }) });
      return { bytes, facts: { mode: mode ?? 'threshold', opset: '13', skips } };
    },
  },
  js: {
    file: 'model.js',
    takes: ['mode'],
    make(model: Model, { mode }: ExportFlags, { data }: RunRecord, task: Task): Exported {
      const { table, image, scale } = data;
      const text = exportOneFile(model, {
        ...{ task, table, image },
        ...(mode && { mode }),
        ...(scale !== undefined && { byteScale: scale }),
      });
      return { bytes: new TextEncoder().encode(text), facts: { mode: mode ?? 'threshold' } };
    },
  },
  safetensors: {
    file: 'model.safetensors',
    takes: [],
    make: (model: Model): Exported => ({ bytes: saveModel(model), facts: {} }),
  },
} as const;

/** `flipgrad export`. */
export function exportCommand(): Command {
  return runUser('export', 'Write a trained run as one file for other programs: ONNX, JavaScript or safetensors.')
    .addOption(
      new Option('--format <format>', 'default: by the ending of --out, else onnx').choices(Object.keys(formats)),
    )
    .addOption(
      new Option('--mode <mode>', 'how gates decide: onnx and js (default: threshold)').choices([
        'threshold',
        'mean-field',
      ]),
    )
    .addOption(
      new Option(
        '--gates <way>',
        'onnx: skip closed blocks (fastest for one row at a time) or compute all (for batches); default: by the size of the blocks',
      ).choices(['skip', 'plain']),
    )
    .option('--out <file>', 'default: model.onnx, model.js or model.safetensors in the folder of the run')
    .action(run);
}

/** The format whose files end as this one does. */
const formatOf = (out = ''): keyof typeof formats | undefined =>
  (Object.keys(formats) as (keyof typeof formats)[]).find((format) => extname(formats[format].file) === extname(out));

async function run(folder: string, flags: ExportFlags): Promise<void> {
  const { format = formatOf(flags.out) ?? 'onnx' } = flags;
  const { file, takes, make } = formats[format];
  for (const flag of ['mode', 'gates'] as const)
    if (flags[flag] !== undefined && !(takes as readonly string[]).includes(flag))
      throw new UsageError(`--${flag} says nothing to --format ${format}. Expected ${takersOf(flag)}.`);
  const out = flags.out ?? join(folder, file);
  await useRun(folder, { ...flags, threads: 1 }, async ({ run: opened, model, from, task }) => {
    const { bytes, facts } = make(model, flags, opened.record, task);
    // Within a run's folder no link is followed.
    if (flags.out === undefined) await nodeFolder(folder).write(file, bytes);
    else writeFile(out, bytes);
    const told = { file: out, format, bytes: bytes.length, ...facts, weights: from };
    if (flags.json ?? !process.stdout.isTTY) printJson(told);
    else print(`${sentence(told)}\n`);
  });
}

const takersOf = (flag: 'mode' | 'gates'): string =>
  Object.entries(formats)
    .filter(([, { takes }]) => (takes as readonly string[]).includes(flag))
    .map(([format]) => `--format ${format}`)
    .join(' or ');

/** What was written, for people. */
function sentence(told: {
  readonly file: string;
  readonly bytes: number;
  readonly weights: string;
  readonly mode?: string;
  readonly opset?: string;
  readonly skips?: readonly string[];
}): string {
  const { file, bytes, mode, opset, skips, weights } = told;
  return [
    `${file}: ${(bytes / 1e6).toFixed(2)} MB`,
    ...(mode ? [`${mode} mode`] : []),
    ...(opset ? [`opset ${opset}`] : []),
    ...(skips
      ? [skips.length > 0 ? `closed blocks of ${skips.join(', ')} are skipped` : 'every block is computed']
      : []),
    `weights: ${weights}`,
  ].join('; ');
}
