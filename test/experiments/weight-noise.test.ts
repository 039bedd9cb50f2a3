import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cellsOf,
  chosenDeviation,
  FORMS,
  type NoiseRecord,
  renderNoise,
  renderNoiseCurves,
  runCell,
} from '../../experiments/weight-noise.ts';

const form = {
  ...FORMS.quick,
  units: 6,
  sizes: [{ strings: 20, writers: 4, epochs: 4, evaluateEvery: 2 }],
  variants: ['none', '0.1', 'adaptive', 'adaptive-after-none'],
  seeds: [1],
  valid: 12,
  test: 12,
};

test('every variant of the grid runs, and the same cell gives the same record', async () => {
  const records: NoiseRecord[] = [];
  for (const cell of cellsOf(form)) {
    const epochs: number[] = [];
    const record = await runCell(form, cell, ({ epoch }) => epochs.push(epoch));
    assert.deepEqual(epochs, [2, 4]);
    // Where a net without noise comes first, only what the noise made of it counts.
    const counted = record.curve.slice(cell.variant === 'adaptive-after-none' ? 1 : 0);
    assert.ok(counted.some(({ epoch }) => epoch === record.byLoss.epoch));
    const lowest = Math.min(...counted.map(({ validLoss }) => validLoss));
    assert.ok(Math.abs(record.byLoss.valid.loss - lowest) < 1e-3 * lowest);
    assert.equal(record.complexity !== undefined, cell.variant.startsWith('adaptive'));
    records.push(record);
  }
  const again = await runCell(form, cellsOf(form)[1], () => {});
  assert.deepEqual({ ...again, seconds: 0 }, { ...records[1], seconds: 0 });
  assert.notDeepEqual(records[0].byLoss, records[1].byLoss);
  assert.deepEqual(records[0].checksums, records[3].checksums);
  const page = renderNoise(records, form);
  for (const name of ['none', 'fixed, σ = 0.1', 'adaptive', 'adaptive after none'])
    assert.match(page, new RegExp(name));
  assert.match(renderNoiseCurves(records, form), /^<svg [\s\S]*<\/svg>\n$/);
});

/** A record of a cell that never ran. */
function record(variant: string, seed: number, validLoss: number, test: number): NoiseRecord {
  const evaluation = (loss: number) => ({ loss, labelError: loss / 10, sequenceError: loss / 5 });
  const stop = { epoch: 3, valid: evaluation(validLoss), test: evaluation(test) };
  return {
    strings: 20,
    variant,
    seed,
    epochs: 4,
    units: 6,
    weights: 100,
    byLoss: stop,
    byError: stop,
    curve: [{ epoch: 2, trainLoss: 1, validLoss, validError: 0.2 }],
    seconds: 60,
    engine: 'test',
    threads: 1,
    checksums: { train: '', valid: '', test: '' },
  };
}

test('σ is chosen on validation, never on the test, and differences are paired by seed', () => {
  const records = [1, 2, 3].flatMap((seed) => [
    record('none', seed, 1, seed),
    record('0.1', seed, 0.8, seed + 0.5 + 0.01 * seed),
    record('0.2', seed, 0.9, seed - 0.5 - 0.01 * seed),
  ]);
  assert.equal(chosenDeviation(records), '0.1');
  const page = renderNoise(records, { ...form, variants: ['none', '0.1', '0.2'] });
  assert.match(
    page,
    /\*\*fixed, σ = 0\.1\*\* \(chosen on validation\) \| 3 \| 2\.520 ± 2\.509 \| 0\.520 ± 0\.025: worse/,
  );
  assert.match(page, /\| fixed, σ = 0\.2 \| 3 \| 1\.480 ± 2\.459 \| -0\.520 ± 0\.025: better/);
  assert.match(page, /- 20 strings, fixed, σ = 0\.1: log-loss worse, strings wrong worse, label error worse\./);
});
