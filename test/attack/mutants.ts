import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { CHECKPOINT_FILES } from '../../src/io/checkpoint.ts';
import { crc32c } from '../../src/math/crc32c.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { fuzz, mutation } from '../fuzz/fuzz.ts';
import { readers } from '../fuzz/readers.ts';
import { collectGarbage } from '../helpers/garbage.ts';
import { goodRuns } from '../helpers/hostile-runs.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { type Attack, INTERNALS, tally, within } from './attack.ts';
import { type AnyReader, commandOf, READERS, wordsOf } from './commands.ts';

/** Whole run folders are one part in so many of all mutants: each is a command. */
const SHARE = 10;
/** What damaged files may cost, in MB beside the good ones. */
const MOST_MEMORY = 500;
/** A resumed training that was told to go on for long is interrupted, in milliseconds. */
const PATIENCE = 500;
/** Two commands train for a second or more: they have their turn once in so many. */
const SELDOM = 25;
/** Commands of one process between two collections of garbage. */
const COLLECT = 25;

/** Damaged files for every reader. */
export const mutants: Attack = async (_, { seed, mutants: count }) => {
  const engine = await createEngine({ threads: 1 });
  const all = await readers(engine);
  const each = Math.ceil((count * (1 - 1 / SHARE)) / all.length);
  const memory = process.resourceUsage().maxRSS;
  let [read, refused] = [0, 0];
  for (const reader of all) {
    const one = await fuzz(reader, each, seed);
    read += one.read;
    refused += one.refused;
  }
  engine.close();
  const more = Math.round((process.resourceUsage().maxRSS - memory) / 1024);
  assert.ok(more < MOST_MEMORY, `${more} MB more`);
  const found = `${all.length} readers: ${refused} refused, ${read} read; ${more} MB more memory at the peak`;
  return { name: 'damaged files', attacks: read + refused, found };
};

const SLOW: readonly AnyReader[] = ['audit', 'advise'];
const QUICK = READERS.filter((reader) => !SLOW.includes(reader));

/** Run folders with a damaged file whose checksums are made right, given to the commands in turn. */
export const runMutants: Attack = async (folder, { seed, mutants: count }) => {
  const good = await goodRuns(folder);
  const files = [good.done, good.stopped].flatMap((run) =>
    globSync('**/*.{json,jsonl,csv,safetensors,flipgrad}', { cwd: run })
      .sort()
      .map((file) => ({ run, file })),
  );
  const changes = fc.sample(fc.tuple(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 3 })), {
    numRuns: Math.round(count / SHARE),
    seed,
  });
  const memory = process.resourceUsage().maxRSS;
  const ends: string[] = [];
  for (const [i, [{ run: from, file }, mutations]] of changes.entries()) {
    const place = mkdtempSync(join(folder, 'mutant-'));
    const [run, reader] = [
      join(place, 'run'),
      i % SELDOM === 0 ? SLOW[(i / SELDOM) % SLOW.length] : QUICK[i % QUICK.length],
    ];
    cpSync(from, run, { recursive: true });
    const path = join(run, file);
    const whole: Uint8Array = readFileSync(path);
    const damaged = mutations.reduce<Uint8Array>((bytes, mutate) => mutate(bytes), whole);
    writeFileSync(path, damaged);
    sealAgain(run);
    const before = treeOf(run);
    const what = `mutant ${i} of seed ${seed}: ${reader}, ${file} damaged`;
    // It cannot be told to stop but by a signal, as from outside.
    const patience = setTimeout(() => process.emit('SIGINT'), PATIENCE);
    const [, ...args] = wordsOf(reader, run, good);
    const { code, stderr } = await within(120, what, runHere(commandOf(reader), args));
    clearTimeout(patience);
    // V8 does not know how much the shared memory of a closed engine is: it would collect that of hundreds of commands too late.
    if (i % COLLECT === 0) collectGarbage();
    assert.ok([0, 1, 2, 130].includes(code), `${what}: code ${code}, ${stderr}`);
    assert.doesNotMatch(stderr, INTERNALS, `${what}: ${stderr}`);
    assert.ok(stderr.length < 5000, `${what}: ${stderr.length} characters`);
    if (code === 2 || reader !== 'resume')
      assert.deepEqual(withoutProgress(treeOf(run)), withoutProgress(before), `${what} changed the folder: ${stderr}`);
    ends.push(code === 2 ? 'refused' : code === 130 ? 'interrupted' : 'read');
    rmSync(place, { recursive: true });
  }
  const more = Math.round((process.resourceUsage().maxRSS - memory) / 1024);
  assert.ok(more < MOST_MEMORY, `${more} MB more`);
  const found = `${READERS.length} commands: ${tally(ends)}; ${more} MB more memory at the peak`;
  return { name: 'run folders with a damaged file, sealed again', attacks: ends.length, found };
};

/** A resumed training may begin, and only then find that it cannot go on: what it has trained until then is kept. */
const withoutProgress = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(tree).filter(([name]) => !/^(metrics|events|checkpoints|curves)/.test(name)));

/** Makes the checksums of checkpoints right, where there is JSON that has them. */
function sealAgain(run: string): void {
  for (const folder of globSync('checkpoints/*', { cwd: run })) {
    const [arrays, facts] = [CHECKPOINT_FILES.arrays, CHECKPOINT_FILES.facts].map((name) => join(run, folder, name));
    try {
      const state = JSON.parse(readFileSync(facts, 'utf8'));
      const bytes = readFileSync(arrays);
      Object.assign(state.arrays, { bytes: bytes.length, crc32c: crc32c(bytes), factsCrc32c: crcOf(state.facts) });
      if (state.settings !== undefined) state.settingsCrc32c = crcOf(state.settings);
      writeFileSync(facts, JSON.stringify(state));
    } catch {
      // No JSON of that form any more: there is nothing to seal.
    }
  }
}

const crcOf = (value: unknown): number => crc32c(new TextEncoder().encode(JSON.stringify(value)));
