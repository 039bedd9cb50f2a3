/**
 * Runs every performance claim against its peers and writes the records.
 *
 *     npm run bench -- [--json] [--rounds 5] [--only NAME]
 *
 * Fresh processes, alternating order, medians, ratios within one run. Peers live in bench/peers: `npm ci --prefix
 * bench/peers` installs the JavaScript ones, Debian's python3-torch is PyTorch; an absent one is skipped with a sentence.
 */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { COMPARISONS } from './comparisons.ts';
import { runAlternating } from './harness.ts';
import { type BenchRecord, RECORDS, readBenchRecords, renderBench } from './records.ts';

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
