/** Every reader of files, with good files to damage and the errors that it may answer with. */

import type { Engine } from '../../src/backend/engine.ts';
import { encodeIdx, parseIdx } from '../../src/data/idx.ts';
import { fitPicture } from '../../src/data/picture.ts';
import type { TableForm } from '../../src/data/table-form.ts';
import { CHECKPOINT_FILES, decodeCheckpoint, encodeCheckpoint } from '../../src/io/checkpoint.ts';
import { encodeEvent, eventFileHeader, intactEvents } from '../../src/io/event-file.ts';
import { loadModel, saveModel } from '../../src/io/model-file.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type ModelDescription } from '../../src/nn/model.ts';
import { readPng } from '../../src/platform/node/png.ts';
import { readTable } from '../../src/platform/node/table-data.ts';
import type { Folder } from '../../src/runs/folder.ts';
import { LOG_NAMES, runLogs } from '../../src/runs/logs.ts';
import { decodeMetrics, encodeLine, type MetricsLine } from '../../src/runs/metrics.ts';
import { decodeRecord, encodeRecord, trainOptions } from '../../src/runs/record.ts';
import { Run } from '../../src/runs/run.ts';
import { runModel } from '../../src/runs/run-model.ts';
import { classification } from '../../src/tasks/classification.ts';
import { readingOf } from '../../src/tasks/reading.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { pngFile, resealed } from '../helpers/png-file.ts';
import { tinyRecord } from '../runs/tiny-run.ts';
import { cornersSplit } from '../train/tiny.ts';

export interface Reader {
  readonly name: string;
  readonly files: readonly Uint8Array[];
  /** Reads a file that may be damaged. @throws an error of `errors`, or the reader is broken */
  read(bytes: Uint8Array): unknown;
  readonly errors: readonly string[];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const spec: ModelDescription = {
  inputs: 2,
  layers: [
    gated(4, { blocks: 2, gater: [2], rate: 0.3, neuron: 'stochastic-binary', name: 'g' }),
    dense(3, 'linear', 'o'),
  ],
  seed: 1,
};

/** A folder of files in memory that only reads: what a run finds. */
function folderOf(files: Readonly<Record<string, Uint8Array>>): Folder {
  const refuse = async () => {
    throw new Error('This folder is only read.');
  };
  return {
    path: 'the folder',
    read: async (name) => files[name],
    async *pieces(name) {
      if (files[name]) yield files[name];
    },
    list: async (name) => {
      const within = name === undefined ? '' : `${name}/`;
      const names = Object.keys(files).filter((file) => file.startsWith(within));
      return [...new Set(names.map((file) => file.slice(within.length).split('/')[0]))].sort();
    },
    write: refuse,
    append: refuse,
    sync: refuse,
    truncate: refuse,
    remove: refuse,
    lock: refuse,
    locked: async () => false,
  };
}

/** Of a table of two numbers without names. */
const twoColumns: TableForm = {
  named: false,
  columns: [{ name: 'column 2' }, { name: 'column 3' }],
  targets: [{ name: 'column 1' }],
  missing: 'error',
};

/** How the numbers of the runs here read. */
const reading = readingOf(classification);

export async function readers(engine: Engine): Promise<Reader[]> {
  const model = createModel(engine, spec);
  const training = train(model, cornersSplit, { epochs: 2, batch: 30, optimizer: 'adam' });
  const lines: MetricsLine[] = [
    { event: 'session', epochs: 0, batches: 0, step: 0, engine: 'x', threads: 1, by: { pid: 1 }, time: 1.5 },
  ];
  for await (const event of training) if (event.event !== 'batch') lines.push({ ...event, time: 2.5 } as MetricsLine);
  const { progress, ...arrays } = training.state();
  const named = new Map(
    (['model', 'slots', 'best'] as const).flatMap((part) =>
      [...(arrays[part] ?? [])].map(([name, values]) => [`${part}/${name}`, values] as const),
    ),
  );
  const checkpoint = encodeCheckpoint({ arrays: named, facts: progress });
  const arraysFile = checkpoint[CHECKPOINT_FILES.arrays];
  const factsFile = checkpoint[CHECKPOINT_FILES.facts];
  const resume = (state: TrainOptions) => train(createModel(engine, spec), cornersSplit, state);
  const record = tinyRecord(engine, {
    model: spec,
    training: { ...tinyRecord(engine).training, epochs: 2, batch: 30 },
  });
  const recordFile = encodeRecord(record);
  const metrics = Buffer.concat(lines.map(encodeLine));
  const logs = LOG_NAMES.map((name) => {
    const taken = lines.filter((line) => runLogs[name].takes(line));
    return Buffer.concat(taken.map((line, i) => runLogs[name].encode(line, reading, i === 0)));
  });
  const opened = (run: Uint8Array, facts: Uint8Array) =>
    Run.open(
      folderOf({
        'run.json': run,
        'checkpoints/epoch-000002-step-0000000006/state.json': facts,
        'checkpoints/epoch-000002-step-0000000006/arrays.safetensors': arraysFile,
      }),
    ).then((run) => runModel(run, engine));
  const files = (part: Uint8Array | undefined, rest: Uint8Array | undefined) => ({
    [CHECKPOINT_FILES.arrays]: part ?? arraysFile,
    [CHECKPOINT_FILES.facts]: rest ?? factsFile,
  });
  const tensors = new Map([
    ['a', { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['b', { shape: [], values: Float64Array.of(Math.PI) }],
    ['c', { shape: [0], values: new Uint8Array(0) }],
  ]);
  /** An upright stroke on black. */
  const stroke = (width: number, height: number, ink: number) =>
    Array.from({ length: width * height }, (_, i) => (i % width === width >> 1 ? ink : 0));
  const opaque = Array.from({ length: 80 }, (_, i) => (i % 4 === 3 ? 65535 : stroke(5, 4, 61000)[i >> 2]));
  const idx = encodeIdx({ shape: [3, 2, 2], data: Uint8Array.from({ length: 12 }, (_, i) => i) });
  return [
    {
      name: 'safetensors',
      files: [encodeSafetensors({ tensors, metadata: { k: 'v' } }), saveModel(model), arraysFile],
      // What was read is what another reader would read: it is written and read again.
      read: (bytes) => decodeSafetensors(encodeSafetensors(decodeSafetensors(bytes, 'x')), 'x'),
      errors: ['FormatError'],
    },
    {
      name: 'model file',
      files: [saveModel(model)],
      read: (bytes) => loadModel(engine, bytes),
      errors: ['FormatError'],
    },
    {
      name: 'checkpoint arrays',
      files: [arraysFile],
      read: (bytes) => decodeCheckpoint(files(bytes, undefined), 'x'),
      errors: ['FormatError'],
    },
    {
      name: 'checkpoint arrays, sealed again',
      files: [arraysFile],
      read(bytes) {
        const { tensors: all } = decodeSafetensors(bytes, 'x');
        const parts = (prefix: string) =>
          new Map(
            [...all].flatMap(([name, { values }]) =>
              name.startsWith(prefix) ? [[name.slice(prefix.length), values as Float32Array]] : [],
            ),
          );
        const state = { progress, model: parts('model/'), slots: parts('slots/'), best: parts('best/') };
        return resume({ epochs: 2, batch: 30, optimizer: 'adam', resume: state });
      },
      errors: ['FormatError', 'RangeError'],
    },
    {
      name: 'checkpoint state',
      files: [factsFile],
      read: (bytes) => decodeCheckpoint(files(undefined, bytes), 'x'),
      errors: ['FormatError'],
    },
    {
      name: 'checkpoint state, sealed again',
      files: [text(JSON.stringify(progress))],
      read(bytes) {
        const facts = JSON.parse(new TextDecoder().decode(bytes));
        const { arrays: back } = decodeCheckpoint(encodeCheckpoint({ arrays: named, facts }), 'x');
        return [back, resume({ epochs: 2, batch: 30, optimizer: 'adam', resume: { ...arrays, progress: facts } })];
      },
      errors: ['FormatError', 'RangeError', 'SyntaxError'],
    },
    {
      name: 'run.json',
      files: [recordFile],
      read: (bytes) => trainOptions(decodeRecord(bytes, 'run.json')),
      errors: ['FormatError', 'RangeError'],
    },
    {
      name: 'run.json beside a checkpoint',
      files: [recordFile],
      read: (bytes) => opened(bytes, factsFile),
      errors: ['FormatError', 'StorageError'],
    },
    {
      name: 'metrics.jsonl',
      files: [metrics],
      read: (bytes) => decodeMetrics(bytes, 'metrics.jsonl', reading).lines.map(encodeLine),
      errors: ['FormatError'],
    },
    {
      name: 'event file',
      files: [
        logs[1],
        Buffer.concat([eventFileHeader(1), encodeEvent({ time: 2, step: 3, scalars: {}, histograms: {} })]),
      ],
      read: intactEvents,
      errors: [],
    },
    { name: 'CSV log', files: [logs[0]], read: (bytes) => runLogs.csv.intact(bytes), errors: [] },
    {
      name: 'PNG',
      files: [
        pngFile({ width: 9, height: 7, depth: 8, colour: 0, samples: stroke(9, 7, 200) }),
        pngFile({ width: 5, height: 4, depth: 16, colour: 6, samples: opaque }),
        pngFile({ width: 11, height: 3, depth: 2, colour: 3, samples: stroke(11, 3, 3) }),
      ],
      read: (bytes) => fitPicture(readPng(bytes, 'x.png'), { width: 28, height: 28 }),
      errors: ['DataError'],
    },
    {
      name: 'PNG, sealed again',
      files: [
        pngFile({ width: 9, height: 7, depth: 8, colour: 0, samples: stroke(9, 7, 200) }),
        pngFile({ width: 11, height: 3, depth: 2, colour: 3, samples: stroke(11, 3, 3) }),
      ],
      read: (bytes) => fitPicture(readPng(resealed(bytes), 'x.png'), { width: 28, height: 28 }),
      errors: ['DataError'],
    },
    { name: 'IDX', files: [idx], read: (bytes) => parseIdx(bytes, 'x'), errors: ['DataError'] },
    {
      name: 'CSV data',
      files: [text('label,a,b\n1,2,3\n0,"4",5\n')],
      read: (bytes) => readTable(bytes, 'x.csv', 'classes'),
      errors: ['DataError'],
    },
    {
      name: 'CSV rows',
      files: [text('a;b\n1;2\n3;4\n'), text('1,2,0\n3,4,1\n')],
      read: (bytes) => readTable(bytes, 'x.csv', 'classes', {}, twoColumns),
      errors: ['DataError'],
    },
  ];
}
