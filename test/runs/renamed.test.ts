/** A run whose settings have the names of the version before opens, and goes on as if nothing had happened; flags of that version work. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/index.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-renamed-'));
after(() => rmSync(folder, { recursive: true }));
const data = twoClasses(join(folder, 'two.csv'));
const path = (name: string): string => join(folder, name);
const train = async (run: string, ...flags: string[]): Promise<string> => {
  const { code, stderr } = await runCliHere([
    ...['train', '--data', data, '--units', '8', '--blocks', '4', '--gater', 'none', '--neuron', 'rloo'],
    ...['--threads', '1', '--blas', 'off', '--run', path(run), ...flags],
  ]);
  assert.equal(code, 0, stderr);
  return stderr;
};
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

test('--basket of the version before sets --probe-estimators, and says so', async () => {
  const now = await train('now', '--epochs', '1', '--probe-estimators', 'disarm', '--probe-estimators-every', '3');
  const old = await train('old', '--epochs', '1', '--basket', 'disarm', '--basket-every', '3');
  assert.doesNotMatch(now, /old name/);
  assert.match(old, /--basket is the old name of --probe-estimators, and goes with the next version\./);
  assert.match(old, /--basket-every is the old name of --probe-estimators-every/);
  assert.deepEqual(json(path('now/run.json')).config.probeEstimators, ['disarm']);
  for (const section of ['config', 'training'])
    assert.deepEqual(json(path('old/run.json'))[section], json(path('now/run.json'))[section]);
  assert.deepEqual(json(path('old/run.json')).training.estimatorProbe, { neurons: ['disarm'], every: 3 });
});

test('run.json and checkpoints with the old names are read, and the run goes on', async () => {
  cpSync(path('now'), path('older'), { recursive: true });
  const before = ({ config, training, ...facts }: Record<string, Record<string, unknown>>) => {
    const { estimatorProbe, ...others } = training;
    const { probeEstimators, probeEstimatorsEvery, ...flags } = config ?? {};
    return {
      ...facts,
      ...(config && { config: { ...flags, basket: probeEstimators, basketEvery: probeEstimatorsEvery } }),
      training: { ...others, basket: estimatorProbe },
    };
  };
  const file = path('older/run.json');
  writeFileSync(file, JSON.stringify(before(json(file))));
  for (const name of readdirSync(path('older/checkpoints'))) {
    const place = path(`older/checkpoints/${name}`);
    const files = decodeCheckpoint(
      Object.fromEntries(readdirSync(place).map((one) => [one, readFileSync(join(place, one))])),
      place,
    );
    const settings = before(files.settings as Record<string, Record<string, unknown>>);
    assert.ok('basket' in settings.training);
    for (const [one, bytes] of Object.entries(encodeCheckpoint({ ...files, settings })))
      writeFileSync(join(place, one), bytes);
  }
  await train('older', '--epochs', '2', '--resume');
  await train('now', '--epochs', '2', '--resume');
  assert.deepEqual(readFileSync(path('older/weights.safetensors')), readFileSync(path('now/weights.safetensors')));
  assert.deepEqual(json(file).training, json(path('now/run.json')).training);
});
