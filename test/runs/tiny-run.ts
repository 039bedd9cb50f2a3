import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/backend/engine.ts';
import type { Split } from '../../src/data/dataset.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import type { ModelDescription } from '../../src/nn/model.ts';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import { RUN_FORMAT, type RunRecord } from '../../src/runs/record.ts';
import { Run } from '../../src/runs/run.ts';
import { digits } from '../train/tiny.ts';

const root = mkdtempSync(join(tmpdir(), 'flipgrad-runs-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

/** A folder that is removed when the process ends. */
export const temporaryFolder = (): string => mkdtempSync(join(root, 'folder-'));

const SPEC: ModelDescription = {
  inputs: 784,
  seed: 2,
  layers: [
    gated(24, { blocks: 8, gater: [6], rate: 0.3, neuron: 'stochastic-binary', name: 'gated' }),
    dense(10, 'linear', 'output'),
  ],
};

/** The record of a run of a second on 300 digits. */
export function tinyRecord(engine: Engine, change: Partial<RunRecord> = {}, data: Split = digits): RunRecord {
  const { train, valid, test } = data;
  return {
    format: RUN_FORMAT,
    created: '2026-11-21T00:00:00.000Z',
    config: { neuron: 'stochastic-binary' },
    task: { name: 'classification' },
    model: SPEC,
    training: { epochs: 3, batch: 50, optimizer: { name: 'adam', options: { learningRate: 0.01 } }, decay: 0.9 },
    seed: 2,
    data: {
      source: 'digits',
      seed: 5,
      name: train.name,
      checksums: { train: train.checksum, valid: valid.checksum, test: test.checksum },
      examples: { train: train.count, valid: valid.count, test: test.count },
      width: train.width,
      outputs: train.classes,
      classes: train.classes,
      scale: train.scale,
      image: { width: 28, height: 28 },
    },
    engine: { name: engine.name, threads: engine.threads, simd: 'auto', blas: 'off', crossovers: engine.crossovers },
    versions: { flipgrad: '0.0.0' },
    machine: { cores: 1 },
    logs: ['csv', 'tensorboard'],
    ...change,
  };
}

/** A new run in a folder of its own. */
export const tinyRun = (engine: Engine, change: Partial<RunRecord> = {}): Promise<Run> =>
  Run.create(nodeFolder(join(temporaryFolder(), 'run')), tinyRecord(engine, change));
