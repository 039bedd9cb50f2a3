/** Run folders as a stranger may send them, made of good ones: links that lead out, FIFOs, devices, folders and giants in place of files, records that lie. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { trainCommand } from '../../cli/train.ts';
import { runHere } from './run-here.ts';

/** A run to be made hostile. */
export interface GoodRuns {
  /** Done: with weights and a result. */
  readonly done: string;
  /** Stopped after two of four epochs. */
  readonly stopped: string;
  /** A table that `predict` takes. */
  readonly rows: string;
}

/** Trains two small runs, with every kind of file that a run has, in a folder that exists. */
export async function goodRuns(folder: string): Promise<GoodRuns> {
  const data = join(folder, 'two.csv');
  const lines = Array.from(
    { length: 60 },
    (_, i) => `${(i % 2) + (i % 7) / 20},${1 - (i % 2) + (i % 5) / 20},${i % 2}`,
  );
  writeFileSync(data, `a,b,label\n${lines.join('\n')}\n`);
  const rows = join(folder, 'rows.csv');
  writeFileSync(rows, '0.1,0.9\n0.8,0.3\n');
  const [done, stopped] = [join(folder, 'done'), join(folder, 'stopped')];
  const network = ['--units', '8', '--blocks', '4', '--gater', '4', '--neuron', 'stochastic-binary', '--rate', '0.5'];
  const machine = ['--threads', '1', '--blas', 'off', '--simd', 'simd', '--log', 'csv,tensorboard'];
  const { code, stderr } = await runHere(trainCommand(), [
    ...['--data', data, '--run', done, '--epochs', '2', '--batch', '10', '--json'],
    ...network,
    ...machine,
  ]);
  if (code !== 0) throw new Error(`The good run cannot be trained: ${stderr}`);
  cpSync(done, stopped, { recursive: true });
  for (const name of ['weights.safetensors', 'curves.svg']) rmSync(join(stopped, name));
  changeRecord(stopped, ({ result, ...record }) => ({ ...record, training: { ...record.training, epochs: 4 } }));
  return { done, stopped, rows };
}

// biome-ignore lint/suspicious/noExplicitAny: a record that is made wrong on purpose
type Json = Record<string, any>;

/** Changes the run.json of a folder. */
export function changeRecord(run: string, change: (record: Json) => Json): void {
  const file = join(run, 'run.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
}

/** What is done to a copy of a good run. */
export interface HostileRun {
  readonly name: string;
  /** Of which good run a copy is taken. */
  readonly of: keyof Omit<GoodRuns, 'rows'>;
  /** @param outside a folder beside the run, which nothing may change or tell of */
  make(run: string, outside: string): void;
  /** What commands say who read what is wrong. */
  readonly refusal: RegExp;
  /** Commands that read or write it: each has to refuse, and `runs` to leave it out. The others go on. */
  readonly readers: readonly Reader[];
}

export type Reader = 'show' | 'runs' | 'evaluate' | 'predict' | 'export' | 'resume';

const ALL: readonly Reader[] = ['show', 'runs', 'evaluate', 'predict', 'export', 'resume'];
const USERS: readonly Reader[] = ['evaluate', 'predict', 'export'];
/** The places of a run's files, and who reads each. */
const PLACES: readonly { file: string; of: HostileRun['of']; readers: readonly Reader[] }[] = [
  { file: 'run.json', of: 'done', readers: ALL },
  { file: 'metrics.jsonl', of: 'stopped', readers: ['show', 'runs', 'resume'] },
  { file: 'metrics.csv', of: 'stopped', readers: ['resume'] },
  { file: 'events.out.tfevents.0.flipgrad', of: 'stopped', readers: ['resume'] },
  { file: 'weights.safetensors', of: 'done', readers: [...USERS, 'resume'] },
  { file: 'checkpoints/*/arrays.safetensors', of: 'stopped', readers: [...USERS, 'resume'] },
  { file: 'checkpoints/*/state.json', of: 'stopped', readers: [...USERS, 'resume'] },
];
const FOLDERS: readonly { file: string; readers: readonly Reader[] }[] = [
  { file: 'checkpoints', readers: ['show', ...USERS, 'resume'] },
  { file: 'checkpoints/*', readers: [...USERS, 'resume'] },
];

/** A place with the checkpoint's name in place of the star. */
const placeIn = (run: string, file: string): string =>
  join(run, file.includes('*') ? file.replace('*', readdirSync(join(run, 'checkpoints'))[0]) : file);

/** Moves what stands at a place out of the run, and leaves a link to it: who follows the link finds everything as it should be. */
function linkOut(place: string, outside: string): void {
  const target = join(outside, 'moved');
  renameSync(place, target);
  symlinkSync(target, place);
}

const LINK = /is a symbolic link\. Expected a (file|folder): links within .* are not followed/;

const links: readonly HostileRun[] = [
  ...PLACES.map(({ file, of, readers }) => ({ file, of, readers })),
  ...FOLDERS.map(({ file, readers }) => ({ file, of: 'stopped' as const, readers })),
].map(({ file, of, readers }) => ({
  name: `${file} is a link that leads out`,
  of,
  make: (run, outside) => linkOut(placeIn(run, file), outside),
  refusal: LINK,
  readers,
}));

const lockLink: HostileRun = {
  name: '.lock is a link that leads out',
  of: 'stopped',
  make(run, outside) {
    writeFileSync(join(outside, 'lock'), 'secret');
    symlinkSync(join(outside, 'lock'), join(run, '.lock'));
  },
  refusal: LINK,
  readers: ['resume'],
};

/** What stands at a place in the place of a file. */
const STRANGERS: readonly { what: string; put: (place: string) => void; refusal: RegExp }[] = [
  {
    what: 'a FIFO',
    put: (place) => void execFileSync('mkfifo', [place]),
    refusal: /is a FIFO\. Expected a file/,
  },
  { what: 'a folder', put: (place) => mkdirSync(place), refusal: /is a folder\. Expected a file/ },
  {
    what: 'a device',
    put: (place) => void execFileSync('mknod', [place, 'c', '1', '5'], { stdio: 'ignore' }),
    refusal: /is a device\. Expected a file/,
  },
  {
    what: 'a giant without contents',
    put(place) {
      writeFileSync(place, '');
      truncateSync(place, 2 ** 43);
    },
    refusal: /has 8796093022208 bytes; \d+ is the most that can be read|No checkpoint of .* can be read/,
  },
];

const strangers: readonly HostileRun[] = STRANGERS.flatMap(({ what, put, refusal }) =>
  PLACES.map(({ file, of, readers }) => ({
    name: `${file} is ${what}`,
    of,
    make(run: string) {
      const place = placeIn(run, file);
      rmSync(place);
      put(place);
    },
    refusal,
    readers,
  })),
);

const lockStrangers: readonly HostileRun[] = STRANGERS.slice(0, 3).map(({ what, put, refusal }) => ({
  name: `.lock is ${what}`,
  of: 'stopped',
  make: (run) => put(join(run, '.lock')),
  refusal,
  readers: ['resume'],
}));

const blas: HostileRun = {
  name: 'run.json names a library',
  of: 'done',
  make(run, outside) {
    writeFileSync(join(outside, 'library.so'), 'native code');
    changeRecord(run, (record) => ({ ...record, engine: { ...record.engine, blas: join(outside, 'library.so') } }));
  },
  refusal: /`engine\.blas` of .*run\.json is/,
  readers: ALL,
};

/** Changes the first layer of a run that has no checkpoint: what it asks for would be built. */
const asking = (name: string, layer: Json, of: HostileRun['of'] = 'stopped'): HostileRun => ({
  name: `run.json asks for ${name}`,
  of,
  make(run) {
    rmSync(join(run, 'checkpoints'), { recursive: true });
    changeRecord(run, ({ model, ...rest }) => {
      const [first, ...others] = model.layers;
      return { ...rest, model: { ...model, layers: [{ ...first, ...layer }, ...others] } };
    });
  },
  refusal: /ask for \S+ bytes of weights|cannot be built|has \d+ entries\. Expected 1000 at most/,
  readers: ['resume'],
});

const lies: readonly HostileRun[] = [
  asking('1e9 units', { units: 1e9, blocks: 1e9 }),
  asking('1e9 units in a block', { units: 1e9, blocks: 1 }),
  // Its weights alone would fit: 1.4 GB.
  asking('units whose gradients and moments do not fit', { units: 120_000_000, blocks: 4 }),
  asking('a gater of 1e6 units', { gater: [1e6, 1e6] }),
  asking('an endless gater', { gater: Array(5000).fill(1) }),
  asking('units that are no number of units', { units: 1e300 }),
  ...Object.entries({
    '5000 layers': ({ model, ...rest }: Json) => ({
      ...rest,
      model: {
        ...model,
        layers: Array.from({ length: 5000 }, (_, i) => ({ layer: 'dense', units: 1, name: `x${i}` })),
      },
    }),
    '1e9 gradients': ({ training, ...rest }: Json) => ({
      ...rest,
      training: { ...training, estimatorProbe: { neurons: ['disarm'], repeats: 1e9 } },
    }),
    'a picture of 1e18 pixels': ({ data, ...rest }: Json) => ({
      ...rest,
      data: { ...data, image: { width: 1e9, height: 1e9 } },
    }),
    '10000 logs': (record: Json) => ({ ...record, logs: Array(10_000).fill('csv') }),
    '8 MB of settings': (record: Json) => ({ ...record, config: { text: 'x'.repeat(2 ** 23) } }),
  }).map(
    ([name, change]): HostileRun => ({
      name: `run.json asks for ${name}`,
      of: 'done',
      make: (run) => changeRecord(run, change),
      refusal: /run\.json (is|has) .*Expected|is the most that can be read/,
      readers: ALL,
    }),
  ),
];

/** Every hostile folder. */
export const hostileRuns: readonly HostileRun[] = [...links, lockLink, ...strangers, ...lockStrangers, blas, ...lies];

/**
 * Makes one, of a copy of a good run.
 * @param folder where; it exists
 * @returns the run, and the folder beside it; undefined where the system does not let one be made, as devices want root
 */
export function makeHostile(
  kind: HostileRun,
  good: GoodRuns,
  folder: string,
): { run: string; outside: string } | undefined {
  const [run, outside] = [join(folder, 'run'), join(folder, 'outside')];
  mkdirSync(outside);
  cpSync(good[kind.of], run, { recursive: true });
  try {
    kind.make(run, outside);
  } catch (error) {
    if (/mknod/.test(String(error))) return undefined;
    throw error;
  }
  return { run, outside };
}

/** The options by which a command reads a run. */
export const argumentsOf = (reader: Reader, run: string, { rows }: GoodRuns): string[] =>
  ({
    show: [run],
    runs: [dirname(run)],
    evaluate: [run],
    predict: [run, rows],
    export: [run, '--format', 'safetensors', '--out', join(dirname(run), 'exported')],
    resume: ['--resume', run],
  })[reader];
