import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { hintonNoise, type NoiseCell } from '../../experiments/hinton-noise.ts';
import { type ReproduceEvent, recordsOf, reproduce } from '../../experiments/reproduce.ts';
import { runCli } from '../helpers/run-cli.ts';

const out = mkdtempSync(join(tmpdir(), 'flipgrad-reproduce-'));
after(() => rmSync(out, { recursive: true }));

/** The real experiment on its smallest grid. */
const arms = ['deterministic', 'binary stochastic', 'dropout'];
const small = {
  ...hintonNoise,
  quick: {
    seeds: 2,
    cells: (seeds: readonly number[]): NoiseCell[] =>
      seeds.flatMap((seed) => arms.map((arm) => ({ data: 'digits', arm, examples: 60, units: 8, epochs: 2, seed }))),
  },
};

async function go(signal: AbortSignal, onEvent: (event: ReproduceEvent) => void = () => {}) {
  const events: ReproduceEvent[] = [];
  const report = await reproduce(small, { quick: true, out, signal }, (event) => {
    events.push(event);
    onEvent(event);
  });
  return { events, report };
}

describe('reproduce', () => {
  const file = recordsOf('hinton-noise', { quick: true, out });
  const never = new AbortController().signal;
  const cellsRun = (events: readonly ReproduceEvent[]) => events.filter(({ event }) => event === 'cell').length;

  it('keeps finished cells when interrupted, and runs only the others then', async () => {
    const interrupt = new AbortController();
    const stopAfterTwo = (event: ReproduceEvent): void => {
      if (event.event === 'cell' && event.done === 2) interrupt.abort();
    };
    await assert.rejects(go(interrupt.signal, stopAfterTwo), { name: 'AbortError' });
    const first = readFileSync(file, 'utf8');
    assert.equal(first.trim().split('\n').length, 2);
    // A crash in the middle of a line.
    appendFileSync(file, '{"cell":{"data":"dig');
    const { events, report } = await go(never);
    const [plan] = events;
    assert.ok(plan.event === 'plan' && plan.cells === 6 && plan.left === 4 && plan.minutes > 0);
    assert.equal(cellsRun(events), 4);
    assert.ok(readFileSync(file, 'utf8').startsWith(first));
    assert.equal(report.findings.length, 3);
    const shares = events.flatMap((event) => (event.event === 'progress' ? [event.share] : []));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
  });

  it('runs no finished cell again, and renders the same report', async () => {
    const page = readFileSync(file.replace('.jsonl', '.html'), 'utf8');
    const { events } = await go(never);
    assert.equal(cellsRun(events), 0);
    assert.equal(readFileSync(file.replace('.jsonl', '.html'), 'utf8'), page);
  });

  it('writes a page that needs no other file, with every arm and its curve', () => {
    const page = readFileSync(file.replace('.jsonl', '.html'), 'utf8');
    assert.doesNotMatch(page, /<link|<script|<img|src=|@import|url\((?!#)/);
    for (const arm of arms) assert.ok(page.includes(`<td>${arm}</td>`) && page.includes(`>${arm}</text>`), arm);
    assert.match(page, /<svg[\s\S]*<polygon[\s\S]*<\/svg>/);
    const markdown = readFileSync(file.replace('.jsonl', '.md'), 'utf8');
    assert.match(markdown, /\| binary stochastic \|/);
  });

  it('gives a cell the same result again', async () => {
    const [cell] = small.quick.cells([1]);
    const stored = JSON.parse(readFileSync(file, 'utf8').split('\n')[0]);
    assert.deepEqual(stored.cell, cell);
    const again = await small.run(cell, { signal: never, onProgress() {} });
    assert.deepEqual(JSON.parse(JSON.stringify(again)), stored.result);
  });
});

describe('flipgrad reproduce', () => {
  it('names the nearest experiment for a name that it does not know', async () => {
    const { code, stderr } = await runCli(['reproduce', 'hinton-nois']);
    assert.equal(code, 2);
    assert.match(stderr, /hinton-noise/);
  });

  it('states its hours first, and exits with 130 when interrupted', async () => {
    const folder = join(out, 'cli');
    const args = ['reproduce', 'hinton-noise', '--quick', '--out', folder];
    const finished = await runCli(args, { startedBy: '"plan"', onStarted: (kill) => kill('SIGINT') });
    assert.equal(finished.code, 130, finished.stderr);
    assert.match(finished.stderr, /15 of 15 cells to run: about [\d.]+ hours[\s\S]*The same command goes on/);
  });
});
