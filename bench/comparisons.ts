import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zoo } from '../src/neurons/index.ts';
import { resolveNeuron } from '../src/neurons/resolve.ts';
import type { Entry } from './harness.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
export const autoName = (work: string, density: number): string =>
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
export const AUTO = [
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

export const STEP = 'SGD step 784→2000→10, batch 100';
export const GATED_2048 = 'gated layer 784→2048, blocks of 64, 10% open, batch 100';
export const GATED_8192 = 'gated layer 784→8192, blocks of 64, 10% open, batch 100';
export const ONE = 'inference of one example, 1024→8192→1024, 13 of 128 blocks open';
export const TWO = 'two gated layers 784→2048→2048→10, blocks of 64, 10% and 10%, batch 100';
export const UNITS = 'gated layer 784→2000, one gate a unit, 10% open, batch 100';
export const NET = 'training step of the 2013 network, stochastic-binary, batch 32';
export const SMALL = 'SGD step 16→16→2, batch 1';
export const EXPERTS = 'feed-forward part 256→64 experts of 64→256, two open, 1,024 rows, SGD step';
export const ATTENTION = 'causal attention 8×128×256, 4 heads, forward and backward';
export const CONVOLUTION = 'convolution 3×3, 32→32 channels, 28×28, batch 32, forward and backward';
export const LANGUAGE = 'training step of a transformer on bytes, 16 experts of 512, two open, Adam';
export const UPDATE = 'training step of 784→4096→10, blocks of 64, 6.25% open, batch 128';
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
  [STEP]: [
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
  ...gatedComparison(GATED_2048, '--units', '2048'),
  ...gatedComparison(GATED_8192, '--units', '8192'),
  ...autoComparison(AUTO[0]),
  ...autoComparison(AUTO[1]),
  [TWO]: [ours('dense, 1 thread', 'two-gated-layers', '--path', 'dense'), ours('blocks, 1 thread', 'two-gated-layers')],
  [UNITS]: [
    ours('dense, 1 thread', 'gated-layer', '--path', 'plain', '--units', '2000', '--size', '1'),
    ours('blocks, 1 thread', 'gated-layer', '--units', '2000', '--size', '1'),
  ],
  [NET]: [
    ours('dense, 1 thread', 'gated-step', '--path', 'dense', ...NET_2013),
    ours('blocks, 1 thread', 'gated-step', ...NET_2013),
  ],
  [ONE]: [
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
