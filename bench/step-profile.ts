/**
 * Renders results/step-profile.md from results/step-profile.jsonl: lines of `flipgrad bench --step NET --rows N --inputs 256 --classes 256
 * --threads 1 --json`, with the network, `when` (before, now) and the round put to each.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Line {
  readonly net: string;
  readonly when: 'before' | 'now';
  readonly rows: number;
  readonly round: number;
  readonly event: 'activity' | 'step';
  readonly part?: string;
  readonly layer?: string;
  readonly name?: string;
  readonly milliseconds: number;
  readonly kernels?: number;
}

const lines: Line[] = readFileSync('results/step-profile.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const groups = [...new Set(lines.map(({ net, rows }) => `${net}, batch ${rows}`))];
const told = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(3));
const titleOf = ({ part, layer, name }: Line): string => [part, layer, name].filter(Boolean).join(' ');

const sections = groups.map((title) => {
  const own = lines.filter(({ net, rows }) => `${net}, batch ${rows}` === title);
  const steps = (when: Line['when']) => own.filter((line) => line.event === 'step' && line.when === when);
  const fastest = (when: Line['when']) => steps(when).reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a));
  const [before, now] = [fastest('before'), fastest('now')];
  const of = (step: Line) =>
    own.filter(({ event, when, round }) => event === 'activity' && when === step.when && round === step.round);
  const names = [...new Set([...of(before), ...of(now)].map(titleOf))];
  const value = (step: Line, name: string) => of(step).find((line) => titleOf(line) === name);
  const rows = names
    .map((name) => [value(before, name), value(now, name), name] as const)
    .filter(([a, b]) => Math.max(a?.milliseconds ?? 0, b?.milliseconds ?? 0) >= 0.02)
    .sort(([a], [b]) => (b?.milliseconds ?? 0) - (a?.milliseconds ?? 0))
    .map(
      ([a, b, name]) =>
        `| ${name} | ${told(a?.milliseconds)} | ${told(a?.kernels)} | ${told(b?.milliseconds)} | ${told(b?.kernels)} |`,
    );
  return [
    `## ${title}`,
    '',
    `A step: ${told(before.milliseconds)} ms before, ${told(now.milliseconds)} now, ${(before.milliseconds / now.milliseconds).toFixed(1)} times faster (the faster of ${steps('now').length} rounds each).`,
    '',
    '| ms | before | in kernels | now | in kernels |',
    '|---|---:|---:|---:|---:|',
    ...rows,
    '',
  ].join('\n');
});

const head = `# Where a training step's time goes

Made by \`node bench/step-profile.ts\` from \`step-profile.jsonl\`: 256 inputs, a dense layer of 256 rectifiers, 8,192 rectifier units in 128 blocks of 64 with a rate of 1/32
(\`gater: []\`), 256 classes; Adam, one thread, WebAssembly with relaxed SIMD, new random examples in every step. Before: gates and their penalties in JavaScript, gradients in memory, every block updated in every step. The
machine was busy with other work (a load of about 17 on two cores), so figures are high, and only those of one table may be compared. \`flipgrad bench --step NET.ts\` tells the same of any network. Blocks that
are behind are caught up when they are next opened; random examples open much the same blocks, so that at batch 1 little of that is in these figures (docs/decisions.md has its cost).
`;
writeFileSync('results/step-profile.md', `${head}\n${sections.join('\n')}`);
