/**
 * Runs every performance claim against its peers and writes the records.
 *
 *     npm run bench -- [--json] [--rounds 5] [--only TEXT]
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

const HELP = `Usage: node bench/run.ts [options]

Runs every performance claim against its peers, each sample a fresh process, and writes the records to results/bench.jsonl.

  --only TEXT   comparisons whose name has this in it (default: all)
  --rounds N    rounds of every comparison, whose median is told (default: 5)
  --json        a record a line on standard output, in place of tables
  --help        shows this`;

/** Ends the process for an option that cannot be. */
function refuse(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}

/** The flags. Ends the process for an option that there is not, or a value that it cannot have. */
function flagsOf(args: readonly string[]) {
  const options = {
    help: { type: 'boolean' },
    json: { type: 'boolean' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const rounds = Number(values.rounds);
    if (!/^[1-9]\d*$/.test(values.rounds) || !Number.isSafeInteger(rounds))
      refuse(`--rounds is ${values.rounds}. Expected a whole number from 1 up.`);
    return { ...values, rounds };
  } catch (error) {
    return refuse(`${(error as Error).message.replace(/\.?$/, '.')} Expected the options of --help.`);
  }
}

const { help, json, only, rounds } = flagsOf(process.argv.slice(2));
if (help) {
  console.log(HELP);
  process.exit(0);
}
const wanted = Object.entries(COMPARISONS).filter(([name]) => name.includes(only));
if (wanted.length === 0)
  refuse(
    `No comparison has "${only}" in its name. Expected a part of one of: ${Object.keys(COMPARISONS).join(' · ')}.`,
  );
const kept = new Map(readBenchRecords().map((record) => [`${record.comparison}/${record.name}`, record]));
for (const [comparison, entries] of wanted) {
  console.error(`${comparison}: ${entries.length} entries, ${rounds} rounds`);
  const records = await runAlternating(entries, { rounds });
  const facts = { comparison, cpu: cpus()[0].model, node: process.version };
  for (const record of records) {
    const complete: BenchRecord = { ...record, ...facts };
    kept.set(`${comparison}/${record.name}`, complete);
    if (json) console.log(JSON.stringify(complete));
  }
  const order = Object.entries(COMPARISONS).flatMap(([c, list]) => list.map(({ name }) => `${c}/${name}`));
  const lines = order.flatMap((key) => (kept.has(key) ? [`${JSON.stringify(kept.get(key))}\n`] : []));
  writeFileSync(RECORDS, lines.join(''));
  if (!json) console.log(renderBench(records.map((record) => ({ ...record, ...facts }))));
}
