/**
 * Runs every performance claim against its peers and writes the records.
 *
 *     npm run bench -- [--json] [--rounds 5] [--only NAME]
 *
 * Fresh processes, alternating order, medians, ratios within one run. Peers live in bench/peers: `npm ci --prefix
 * bench/peers` installs the JavaScript ones, Debian's python3-torch is PyTorch; an absent one is skipped with a sentence.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { zoo } from '../src/neurons/index.ts';
import { resolveNeuron } from '../src/neurons/resolve.ts';
import { type BenchmarkRecord, type Entry, runAlternating } from './harness.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const RECORDS = here('../results/bench.jsonl');

/** One record: an entry of a comparison, and where and when it was measured. */
export interface BenchRecord extends BenchmarkRecord {
  readonly comparison: string;
  readonly cpu: string;
  readonly node: string;
}

const ours = (name: string, work: string, ...flags: string[]): Entry => ({
  name,
  command: [process.execPath, here('ours.ts'), '--work', work, ...flags],
});

const peer = (name: string, file: string, work: string, threads: number, ...flags: string[]): Entry => {
  const script = here(`peers/${file}`);
  const program = file.endsWith('.py') ? 'python3' : process.execPath;
  const installed = file.endsWith('.py') || existsSync(here('peers/node_modules'));
  const skip = JSON.stringify({ skipped: 'not installed: npm ci --prefix bench/peers' });
  return {
    name,
    command: installed
      ? [
          program === 'python3' && existsSync('/usr/bin/python3') ? '/usr/bin/python3' : program,
          script,
          '--work',
          work,
          '--threads',
          String(threads),
          ...flags,
        ]
      : [process.execPath, '--print', `'${skip}'`],
    cwd: here('peers'),
  };
};

const NET_2013 = ['--units', '2000', '--size', '1', '--gater', '400', '--rows', '32'];
const ONE_EXAMPLE = ['--rows', '1', '--inputs', '1024', '--units', '8192', '--density', '0.1015625'];

/** Forward and both gradients of a gated layer: ours dense and block-sparse, PyTorch's two ways. */
function gatedComparison(name: string, ...flags: string[]): Record<string, Entry[]> {
  const both = (threads: number): Entry[] => [
    ours(`dense, ${threads} thread(s)`, 'gated-layer', '--path', 'plain', '--threads', String(threads), ...flags),
    ours(`blocks, ${threads} thread(s)`, 'gated-layer', '--threads', String(threads), ...flags),
    peer(`PyTorch dense and mask, ${threads} thread(s)`, 'torch.py', 'gated-mask', threads, ...flags),
    peer(`PyTorch, loop over blocks, ${threads} thread(s)`, 'torch.py', 'gated-loop', threads, ...flags),
  ];
  const blas = ours(
    'dense with BLAS, 2 thread(s)',
    'gated-layer',
    '--path',
    'dense',
    '--blas',
    'auto',
    '--threads',
    '2',
    ...flags,
  );
  const gathered = (threads: number): Entry =>
    ours(
      `blocks with BLAS, ${threads} thread(s)`,
      'gated-layer',
      '--path',
      'gathered',
      '--blas',
      'auto',
      '--threads',
      String(threads),
      ...flags,
    );
  return { [name]: [...both(1), ...both(2), blas, gathered(1), gathered(2)] };
}

/** What the auto policy costs against the dense product that somebody without gates would write, at one density. */
const autoName = (work: string, density: number): string =>
  `auto policy, ${work}, ${Math.round(100 * density)}% open, batch 100`;

function autoComparison({ work, densities, flags }: (typeof AUTO)[number]): Record<string, Entry[]> {
  return Object.fromEntries(
    densities.map((density) => [
      autoName(work, density),
      ['plain', 'auto'].map((path) =>
        ours(
          `${path === 'plain' ? 'dense' : path}, 1 thread`,
          'gated-layer',
          '--path',
          path,
          '--density',
          String(density),
          ...flags,
        ),
      ),
    ]),
  );
}

/** Densities on both sides of the crossovers that engines come with, and all blocks open. */
const AUTO = [
  { work: 'gated layer 784→2048, blocks of 64', densities: [0.7, 0.8, 1], flags: ['--units', '2048'] },
  {
    work: 'gated layer 784→2000, one gate a unit',
    densities: [0.35, 0.45, 1],
    flags: ['--units', '2000', '--size', '1'],
  },
] as const;

/** A plain sigmoid, and every neuron with noise that asks for one evaluation of the loss, its units by themselves. */
const ONE_DRAW = [
  'sigmoid',
  ...Object.keys(zoo).filter((name) => {
    const { noise, draws, jointNoise } = resolveNeuron(name);
    return noise > 0 && draws === undefined && jointNoise === undefined;
  }),
];

const SMALL = 'SGD step 16→16→2, batch 1';
const EXPERTS = 'feed-forward part 256→64 experts of 64→256, two open, 1,024 rows, SGD step';
const ATTENTION = 'causal attention 8×128×256, 4 heads, forward and backward';
const CONVOLUTION = 'convolution 3×3, 32→32 channels, 28×28, batch 32, forward and backward';
const LANGUAGE = 'training step of a transformer on bytes, 16 experts of 512, two open, Adam';
const UPDATE = 'training step of 784→4096→10, blocks of 64, 6.25% open, batch 128';
const UPDATED = [
  '--rows',
  '128',
  '--units',
  '4096',
  '--density',
  '0.0625',
  '--gates',
  'noisy-top-k',
  '--gater',
  'none',
];

/** A layer, forward and all gradients: ours with and without BLAS, and the peers, on one thread and on two. */
const layerComparison = (name: string, work: string): Record<string, Entry[]> => ({
  [name]: [1, 2].flatMap((threads) => [
    ours(`flipgrad, ${threads} thread(s)`, work, '--threads', String(threads)),
    ours(`flipgrad with BLAS, ${threads} thread(s)`, work, '--blas', 'auto', '--threads', String(threads)),
    peer(`jax-js, ${threads} thread(s)`, 'jax-js.mjs', work, threads),
    peer(`PyTorch CPU, ${threads} thread(s)`, 'torch.py', work, threads),
  ]),
});

/** A net with experts and the same net with all of them in one dense layer. */
const expertsComparison = (name: string, work: string, ...peers: readonly Entry[]): Record<string, Entry[]> => ({
  [name]: [
    ours('experts, 2 threads', work, '--threads', '2'),
    ours('experts with BLAS, 2 threads', work, '--blas', 'auto', '--threads', '2'),
    ours('dense, 2 threads', work, '--path', 'dense', '--threads', '2'),
    ours('dense with BLAS, 2 threads', work, '--path', 'dense', '--blas', 'auto', '--threads', '2'),
    ...peers,
  ],
});

/** Every comparison; the first entry is the one that ratios refer to. */
export const COMPARISONS: Readonly<Record<string, readonly Entry[]>> = {
  'matmul 512³': [
    ours('flipgrad, relaxed SIMD, 1 thread', 'matmul512', '--simd', 'relaxed'),
    ours('flipgrad, SIMD, 1 thread', 'matmul512', '--simd', 'simd'),
    peer('jax-js, 1 thread', 'jax-js.mjs', 'matmul512', 1),
    peer('tfjs wasm, 1 thread', 'tfjs.mjs', 'matmul512', 1),
    peer('PyTorch CPU, 1 thread', 'torch.py', 'matmul512', 1),
  ],
  'SGD step 784→2000→10, batch 100': [
    ours('flipgrad, relaxed SIMD, 1 thread', 'dense-step', '--simd', 'relaxed'),
    ours('flipgrad, relaxed SIMD, 2 threads', 'dense-step', '--simd', 'relaxed', '--threads', '2'),
    ours('flipgrad, SIMD, 1 thread', 'dense-step', '--simd', 'simd'),
    ours('flipgrad, SIMD, 2 threads', 'dense-step', '--simd', 'simd', '--threads', '2'),
    ours('flipgrad with BLAS, 1 thread', 'dense-step', '--blas', 'auto'),
    ours('flipgrad with BLAS, 2 threads', 'dense-step', '--blas', 'auto', '--threads', '2'),
    peer('jax-js, 1 thread', 'jax-js.mjs', 'dense-step', 1),
    peer('jax-js, 2 threads', 'jax-js.mjs', 'dense-step', 2),
    peer('tfjs wasm, 1 thread', 'tfjs.mjs', 'dense-step', 1),
    peer('tfjs wasm, 2 threads', 'tfjs.mjs', 'dense-step', 2),
    peer('PyTorch CPU, 1 thread', 'torch.py', 'dense-step', 1),
    peer('PyTorch CPU, 2 threads', 'torch.py', 'dense-step', 2),
  ],
  [SMALL]: [
    ours('flipgrad, 1 thread', 'small-step'),
    peer('jax-js, 1 thread', 'jax-js.mjs', 'small-step', 1),
    peer('tfjs wasm, 1 thread', 'tfjs.mjs', 'small-step', 1),
    peer('PyTorch CPU, 1 thread', 'torch.py', 'small-step', 1),
  ],
  'neurons of one draw against a sigmoid: SGD step 784→2000→10, batch 100, 1 thread': ONE_DRAW.map((neuron) =>
    ours(neuron, 'dense-step', '--neuron', neuron),
  ),
  ...gatedComparison('gated layer 784→2048, blocks of 64, 10% open, batch 100', '--units', '2048'),
  ...gatedComparison('gated layer 784→8192, blocks of 64, 10% open, batch 100', '--units', '8192'),
  ...autoComparison(AUTO[0]),
  ...autoComparison(AUTO[1]),
  'two gated layers 784→2048→2048→10, blocks of 64, 10% and 10%, batch 100': [
    ours('dense, 1 thread', 'two-gated-layers', '--path', 'dense'),
    ours('blocks, 1 thread', 'two-gated-layers'),
  ],
  'gated layer 784→2000, one gate a unit, 10% open, batch 100': [
    ours('dense, 1 thread', 'gated-layer', '--path', 'plain', '--units', '2000', '--size', '1'),
    ours('blocks, 1 thread', 'gated-layer', '--units', '2000', '--size', '1'),
  ],
  'training step of the 2013 network, stochastic-binary, batch 32': [
    ours('dense, 1 thread', 'gated-step', '--path', 'dense', ...NET_2013),
    ours('blocks, 1 thread', 'gated-step', ...NET_2013),
  ],
  'inference of one example, 1024→8192→1024, 13 of 128 blocks open': [
    ours('dense, 1 thread', 'inference', '--path', 'dense', ...ONE_EXAMPLE),
    ours('dense with BLAS, 1 thread', 'inference', '--path', 'dense', '--blas', 'auto', ...ONE_EXAMPLE),
    ours('blocks, 1 thread', 'inference', ...ONE_EXAMPLE),
    peer('PyTorch dense, 1 thread', 'torch.py', 'inference-dense', 1, ...ONE_EXAMPLE),
    peer('PyTorch, loop over open blocks, 1 thread', 'torch.py', 'inference-loop', 1, ...ONE_EXAMPLE),
  ],
  ...Object.fromEntries(
    ['0.05', '0.1', '0.25', '0.5'].map((density) => [
      `training step of a gated classifier 784→2048→10, blocks of 64, ${100 * Number(density)}% open, batch 100`,
      ['dense', 'blocks'].map((path) => ours(`${path}, 1 thread`, 'gated-step', '--path', path, '--density', density)),
    ]),
  ),
  ...expertsComparison(
    EXPERTS,
    'feed-forward',
    peer('PyTorch, loop over experts, 1 thread', 'torch.py', 'experts-loop', 1),
    peer('PyTorch, loop over experts, 2 threads', 'torch.py', 'experts-loop', 2),
  ),
  ...layerComparison(ATTENTION, 'attention'),
  ...layerComparison(CONVOLUTION, 'convolution'),
  ...expertsComparison(LANGUAGE, 'language-model'),
  [UPDATE]: ['adam', 'sgd'].map((optimizer) =>
    ours(`${optimizer}, 1 thread`, 'gated-step', '--optimizer', optimizer, ...UPDATED),
  ),
};

const STEP = 'SGD step 784→2000→10, batch 100';
const GATED_2048 = 'gated layer 784→2048, blocks of 64, 10% open, batch 100';
const GATED_8192 = 'gated layer 784→8192, blocks of 64, 10% open, batch 100';
const ONE = 'inference of one example, 1024→8192→1024, 13 of 128 blocks open';
const TWO = 'two gated layers 784→2048→2048→10, blocks of 64, 10% and 10%, batch 100';
const UNITS = 'gated layer 784→2000, one gate a unit, 10% open, batch 100';
const NET = 'training step of the 2013 network, stochastic-binary, batch 32';
const TORCH_GATED = ['PyTorch dense and mask, 1 thread(s)', 'PyTorch dense and mask, 2 thread(s)'];
const TORCH_LOOP = ['PyTorch, loop over blocks, 1 thread(s)', 'PyTorch, loop over blocks, 2 thread(s)'];

/** The claims: how many times as fast ours is as the fastest of the others, in one run. */
export interface Claim {
  readonly comparison: string;
  readonly ours: readonly string[];
  readonly others: readonly string[];
  /** The target: how many times as fast, or which share of the ratio of their multiply-adds. */
  readonly asked: number | { readonly ofIdeal: number };
}

const onThreads = (name: string): string[] => [1, 2].map((threads) => `${name}, ${threads} thread(s)`);
const OWN = [...onThreads('flipgrad'), ...onThreads('flipgrad with BLAS')];

export const CLAIMS: readonly Claim[] = [
  { comparison: 'matmul 512³', ours: ['flipgrad, relaxed SIMD, 1 thread'], others: ['jax-js, 1 thread'], asked: 1.05 },
  { comparison: 'matmul 512³', ours: ['flipgrad, SIMD, 1 thread'], others: ['jax-js, 1 thread'], asked: 1.05 },
  { comparison: STEP, ours: ['flipgrad, relaxed SIMD, 1 thread'], others: ['jax-js, 1 thread'], asked: 1.4 },
  {
    comparison: STEP,
    ours: ['flipgrad, relaxed SIMD, 2 threads'],
    others: ['flipgrad, relaxed SIMD, 1 thread'],
    asked: 1.7,
  },
  {
    comparison: STEP,
    ours: ['flipgrad with BLAS, 1 thread', 'flipgrad with BLAS, 2 threads'],
    others: ['PyTorch CPU, 1 thread', 'PyTorch CPU, 2 threads'],
    asked: 1 / 1.2,
  },
  {
    comparison: SMALL,
    ours: ['flipgrad, 1 thread'],
    others: ['jax-js, 1 thread', 'tfjs wasm, 1 thread', 'PyTorch CPU, 1 thread'],
    asked: 1.4,
  },
  { comparison: GATED_2048, ours: ['blocks, 1 thread(s)'], others: ['dense, 1 thread(s)'], asked: 6.5 },
  { comparison: GATED_2048, ours: ['blocks, 2 thread(s)', 'blocks, 1 thread(s)'], others: TORCH_GATED, asked: 3 },
  { comparison: GATED_2048, ours: ['blocks, 2 thread(s)', 'blocks, 1 thread(s)'], others: TORCH_LOOP, asked: 1.3 },
  {
    comparison: GATED_2048,
    ours: ['blocks with BLAS, 1 thread(s)', 'blocks with BLAS, 2 thread(s)'],
    others: TORCH_LOOP,
    asked: 2,
  },
  { comparison: GATED_8192, ours: ['blocks, 1 thread(s)'], others: ['dense, 1 thread(s)'], asked: 5.2 },
  { comparison: GATED_8192, ours: ['blocks, 2 thread(s)'], others: [...TORCH_GATED, ...TORCH_LOOP], asked: 1.4 },
  { comparison: TWO, ours: ['blocks, 1 thread'], others: ['dense, 1 thread'], asked: 7 },
  { comparison: UNITS, ours: ['blocks, 1 thread'], others: ['dense, 1 thread'], asked: 3 },
  { comparison: NET, ours: ['blocks, 1 thread'], others: ['dense, 1 thread'], asked: 1.4 },
  { comparison: ONE, ours: ['blocks, 1 thread'], others: ['dense, 1 thread'], asked: 7 },
  { comparison: ONE, ours: ['blocks, 1 thread'], others: ['PyTorch, loop over open blocks, 1 thread'], asked: 1 },
  ...AUTO.flatMap(({ work, densities }) =>
    densities.map((density) => ({
      comparison: autoName(work, density),
      ours: ['auto, 1 thread'],
      others: ['dense, 1 thread'],
      asked: 1 / 1.05,
    })),
  ),
  {
    comparison: EXPERTS,
    ours: ['experts, 2 threads', 'experts with BLAS, 2 threads'],
    others: ['PyTorch, loop over experts, 1 thread', 'PyTorch, loop over experts, 2 threads'],
    asked: 1.5,
  },
  { comparison: EXPERTS, ours: ['experts, 2 threads'], others: ['dense, 2 threads'], asked: 4 },
  ...[ATTENTION, CONVOLUTION].flatMap((comparison) => [
    { comparison, ours: OWN, others: onThreads('PyTorch CPU'), asked: 1 / 2 },
    { comparison, ours: onThreads('flipgrad'), others: onThreads('jax-js'), asked: 1 },
  ]),
  { comparison: LANGUAGE, ours: ['experts, 2 threads'], others: ['dense, 2 threads'], asked: { ofIdeal: 0.6 } },
  // The update by Adam is to be a quarter of the step at most; gradient descent adds what it has to where the gradient is made.
  { comparison: UPDATE, ours: ['adam, 1 thread'], others: ['sgd, 1 thread'], asked: 0.75 },
];

/** How many times fewer multiply-adds the first does. */
const workRatio = (a: BenchRecord, b: BenchRecord): number =>
  Number(b.facts.multiplyAdds) / Number(a.facts.multiplyAdds);

/** The claims with what was measured, as Markdown. */
export function renderClaims(records: readonly BenchRecord[]): string {
  const find = (comparison: string, names: readonly string[]) =>
    records
      .filter(
        (record) =>
          record.comparison === comparison && names.includes(record.name) && Number.isFinite(record.milliseconds),
      )
      .sort((a, b) => a.milliseconds - b.milliseconds)[0];
  const rows = CLAIMS.flatMap(({ comparison, ours: mine, others, asked }) => {
    const [a, b] = [find(comparison, mine), find(comparison, others)];
    if (!a || !b) return [];
    const ratio = b.milliseconds / a.milliseconds;
    const least = typeof asked === 'number' ? asked : asked.ofIdeal * workRatio(a, b);
    const verdict = ratio >= least ? 'met' : 'missed';
    const side = ({ name, milliseconds }: BenchRecord) =>
      `${name}: ${milliseconds.toFixed(milliseconds < 0.1 ? 4 : 2)} ms`;
    return [`| ${comparison} | ${side(a)} | ${side(b)} | ${ratio.toFixed(2)}× | ${least.toFixed(2)}× ${verdict} |`];
  });
  return ['| work | ours | against | faster | asked |', '|---|---|---|---:|---:|', ...rows, ''].join('\n');
}

export function readBenchRecords(): BenchRecord[] {
  if (!existsSync(RECORDS)) return [];
  const lines = readFileSync(RECORDS, 'utf8').trim().split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line));
}

/** The records as Markdown: a table a comparison. */
export function renderBench(records: readonly BenchRecord[]): string {
  const names = [...new Set(records.map(({ comparison }) => comparison))];
  const cell = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '');
  return names
    .map((name) => {
      const rows = records.filter(({ comparison }) => comparison === name);
      return [
        `### ${name}`,
        '',
        `| ${rows[0].cpu}, Node ${rows[0].node} | ms | times the first |`,
        '|---|---:|---:|',
        ...rows.map((row) =>
          row.skipped === undefined
            ? `| ${row.name} | ${cell(row.milliseconds, row.milliseconds < 0.1 ? 4 : 2)} | ${cell(row.ratio, 2)} |`
            : `| ${row.name} | skipped: ${row.skipped} | |`,
        ),
        '',
      ].join('\n');
    })
    .join('\n');
}

if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
  });
  const wanted = Object.entries(COMPARISONS).filter(([name]) => !flags.only || name.includes(flags.only));
  if (wanted.length === 0) {
    console.error(`No comparison is called "${flags.only}". Known: ${Object.keys(COMPARISONS).join(' · ')}.`);
    process.exit(2);
  }
  const kept = new Map(readBenchRecords().map((record) => [`${record.comparison}/${record.name}`, record]));
  for (const [comparison, entries] of wanted) {
    console.error(`${comparison}: ${entries.length} entries, ${flags.rounds} rounds`);
    const records = await runAlternating(entries, { rounds: Number(flags.rounds) });
    const facts = { comparison, cpu: cpus()[0].model, node: process.version };
    for (const record of records) {
      const complete: BenchRecord = { ...record, ...facts };
      kept.set(`${comparison}/${record.name}`, complete);
      if (flags.json) console.log(JSON.stringify(complete));
    }
    const order = Object.entries(COMPARISONS).flatMap(([c, list]) => list.map(({ name }) => `${c}/${name}`));
    const lines = order.flatMap((key) => (kept.has(key) ? [`${JSON.stringify(kept.get(key))}\n`] : []));
    writeFileSync(RECORDS, lines.join(''));
    if (!flags.json) console.log(renderBench(records.map((record) => ({ ...record, ...facts }))));
  }
}
