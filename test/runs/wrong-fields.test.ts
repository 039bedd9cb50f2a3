/** Every field of run.json and of metrics.jsonl, left out and of every wrong type: commands that print a run say what is wrong, or print it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runsCommand } from '../../cli/runs.ts';
import { showCommand } from '../../cli/show.ts';
import { full } from '../helpers/extent.ts';
import { goodRuns } from '../helpers/hostile-runs.ts';
import { runHere } from '../helpers/run-here.ts';
import { temporaryFolder } from './tiny-run.ts';

const WRONG: readonly unknown[] = [undefined, null, 'text', -1, [], {}];
/** Wrong values for a field; in `npm test` one of two, in turn. */
const wrongFor = (field: number): readonly unknown[] => (full ? WRONG : [field % 2 ? 'text' : undefined]);

/** The places of all fields, of a list the first element's. */
function* places(value: unknown, at: readonly string[] = []): Generator<readonly string[]> {
  if (at.length > 0) yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, field] of Object.entries(value).slice(0, Array.isArray(value) ? 1 : undefined))
    yield* places(field, [...at, name]);
}

/** A copy with another value at a place; undefined: without it. */
function changed(value: object, place: readonly string[], field: unknown): object {
  const copy = structuredClone(value);
  let at = copy as Record<string, unknown>;
  for (const name of place.slice(0, -1)) at = at[name] as Record<string, unknown>;
  if (field === undefined) delete at[place.at(-1) as string];
  else at[place.at(-1) as string] = field;
  return copy;
}

describe('what is printed for people of', () => {
  const terminal = process.stdout.isTTY;
  before(() => {
    process.stdout.isTTY = true;
  });
  after(() => {
    process.stdout.isTTY = terminal;
  });

  async function assertTold(run: string, what: string): Promise<void> {
    for (const command of [showCommand(), runsCommand()]) {
      const { code, stdout, stderr } = await runHere(command, [run]);
      const told = `${command.name()}, ${what}: ${code} ${stdout}${stderr}`;
      assert.doesNotMatch(stderr, /\n\s+at |of its own/, told);
      assert.doesNotMatch(stdout, /undefined|NaN|\[object/, told);
      assert.ok(code === 0 || code === 2, told);
    }
  }

  test('a run whose record or metrics have a wrong field', async (t) => {
    const { done } = await goodRuns(temporaryFolder());
    let count = 0;
    for (const name of ['run.json', 'metrics.jsonl']) {
      const file = join(done, name);
      const whole = readFileSync(file, 'utf8');
      const lines = name === 'run.json' ? [whole] : whole.trim().split('\n');
      for (const [i, line] of lines.entries()) {
        const value = JSON.parse(line);
        for (const [field, place] of [...places(value)].entries())
          for (const wrong of wrongFor(field)) {
            const other = JSON.stringify(changed(value, place, wrong));
            writeFileSync(file, lines.map((own, j) => `${i === j ? other : own}\n`).join(''));
            await assertTold(done, `${name} ${place.join('.')} = ${JSON.stringify(wrong)}`);
            count++;
          }
      }
      writeFileSync(file, whole);
    }
    t.diagnostic(`${count} wrong fields`);
  });
});
