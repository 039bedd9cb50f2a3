/**
 * Attacks flipgrad as a stranger's files, a bad disk, an impatient user and a wrong clock do, and prints what was tried. Fails where an
 * attack succeeds: work lost, something changed or told outside a folder, a hang, a stack trace, memory without bound.
 *
 *     npm run attack                      # 20,000 mutants
 *     npm run attack -- --seed 7 --only folders,bombs
 *     npm run attack -- --write           # puts the counts into results/attack.json and docs/security.md
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AttackRecord, withCounts } from '../../scripts/attack-text.ts';
import { provenance } from '../../src/platform/node/index.ts';
import type { Attack } from './attack.ts';
import { data, records } from './bombs.ts';
import { clocks } from './clocks.ts';
import { folders } from './folders.ts';
import { interrupts } from './interrupts.ts';
import { mutants, runMutants } from './mutants.ts';

const ATTACKS: Readonly<Record<string, Attack>> = {
  // First, as long as nothing else has taken memory.
  mutants,
  runMutants,
  interrupts,
  folders,
  data,
  records,
  clocks,
};

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20261129' },
    mutants: { type: 'string', default: '20000' },
    only: { type: 'string', default: Object.keys(ATTACKS).join() },
    write: { type: 'boolean', default: false },
  },
});
const unknown = values.only.split(',').find((name) => !(name in ATTACKS));
if (unknown !== undefined) {
  console.error(`There is no attack "${unknown}". Expected some of ${Object.keys(ATTACKS).join(', ')}.`);
  process.exit(2);
}
const options = { seed: Number(values.seed), mutants: Number(values.mutants) };
const root = mkdtempSync(join(tmpdir(), 'flipgrad-attack-'));
const outcomes: AttackRecord['outcomes'][number][] = [];
let failed = 0;
for (const name of values.only.split(',')) {
  const folder = mkdtempSync(join(root, `${name}-`));
  // 200 rows of two classes: an epoch takes milliseconds.
  const rows = Array.from({ length: 200 }, (_, i) => `${(i % 2) + (i % 7) / 9},${1 - (i % 2) - (i % 5) / 9},${i % 2}`);
  writeFileSync(join(folder, 'two.csv'), `a,b,label\n${rows.join('\n')}\n`);
  const start = performance.now();
  try {
    const outcome = await ATTACKS[name](folder, options);
    const seconds = Math.round((performance.now() - start) / 1000);
    if (outcome.skipped === undefined) outcomes.push({ ...outcome, seconds });
    console.log(
      `${outcome.name}: ${outcome.skipped ? `skipped: ${outcome.skipped}` : `${outcome.attacks}; ${outcome.found}; ${seconds} s`}`,
    );
  } catch (error) {
    failed++;
    console.log(`${name}: SUCCEEDED: ${(error as Error).stack}`);
  }
  rmSync(folder, { recursive: true, force: true });
}
rmSync(root, { recursive: true, force: true });
const attacks = outcomes.reduce((sum, outcome) => sum + outcome.attacks, 0);
console.log(`${attacks} attacks of ${outcomes.length} kinds failed; ${failed} kinds succeeded`);
if (values.write && failed === 0) {
  const record: AttackRecord = { date: new Date().toISOString(), ...provenance(), ...options, outcomes };
  writeFileSync(new URL('../../results/attack.json', import.meta.url), `${JSON.stringify(record, null, 2)}\n`);
  const page = new URL('../../docs/security.md', import.meta.url);
  writeFileSync(page, withCounts(readFileSync(page, 'utf8'), record));
}
process.exitCode = failed === 0 ? 0 : 1;
