/** Runs the races that the lab's pages Race and Noise show at load: `node scripts/make-lab-races.ts [NAME …]`, all or those; writes lab/public/races. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PRESET_RACES, type RecordedRace, recordedFile } from '../lab/src/race-presets.ts';
import { VALID } from '../lab/src/race-state.ts';
import { adam, dense, digitsSplit, type RaceEvent, watchRace } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';

const PUBLIC = join(import.meta.dirname, '../lab/public');
/** Of numbers in the files: more than charts show. */
const DIGITS = 5;

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !PRESET_RACES.has(name));
if (unknown !== undefined)
  throw new Error(`There is no race "${unknown}". Expected one of ${[...PRESET_RACES.keys()].join(', ')}.`);
for (const [name, race] of PRESET_RACES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { arms, by, budget, points, units, examples, batch, lr, seed, seeds, sampled } = race;
  const facts = { name: '', threads: 1 };
  const events: RaceEvent[] = [];
  for await (const event of watchRace({
    data: digitsSplit({ seed, train: examples, valid: VALID, test: 1 }),
    layersOf: (neuron) => [dense(units, neuron, 'hidden'), dense(10, 'linear', 'output')],
    async makeEngine() {
      const engine = await createEngine({ simd: 'simd', blas: 'off', threads: facts.threads });
      facts.name = engine.name;
      return engine;
    },
    makeOptimizer: () => adam({ learningRate: lr }),
    seeds: Array.from({ length: seeds }, (_, i) => seed + i),
    mode: sampled ? 'sample' : 'mean-field',
    ...{ arms, by, budget, points, batch },
  }))
    events.push(event);
  const file = join(PUBLIC, recordedFile(name));
  mkdirSync(dirname(file), { recursive: true });
  const recorded: RecordedRace = { race, engine: facts, events };
  const short = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(DIGITS)) : value);
  writeFileSync(file, gzipSync(`${JSON.stringify(recorded, short)}\n`, { level: 9 }));
  process.stdout.write(`${JSON.stringify({ name, events: events.length })}\n`);
}
