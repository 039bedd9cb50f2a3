import {
  ATTENTION,
  AUTO,
  autoName,
  CONVOLUTION,
  EXPERTS,
  GATED_2048,
  GATED_8192,
  LANGUAGE,
  NET,
  ONE,
  SMALL,
  STEP,
  TWO,
  UNITS,
  UPDATE,
} from './comparisons.ts';
import type { BenchRecord } from './records.ts';

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

/** Every claim, in the order of the comparisons. `asked` is a ratio of milliseconds: others divided by ours. */
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
  return ['| work | ours | against | faster | target |', '|---|---|---|---:|---:|', ...rows, ''].join('\n');
}
