import { shorten } from '../../io/json.ts';
import { suggest } from '../../math/text.ts';
import { EXPECTED_BLAS, isRecordedBlas } from '../recorded-blas.ts';
import type { TrainSettings } from './train-settings.ts';

/** What a setting may be. */
interface SettingKind {
  fits(value: unknown): boolean;
  /** What an error says of it. */
  readonly expected: string;
  /** May a sweep search a range of it? */
  readonly range?: boolean;
  /** Does it name a file of the machine that runs the trial? */
  readonly path?: boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && !value.includes('\0');
const isWidth = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const text: SettingKind = { fits: isText, expected: 'Expected a text' };
const path: SettingKind = { ...text, path: true };
const number: SettingKind = { fits: Number.isFinite, expected: 'Expected a number', range: true };
const onOff: SettingKind = { fits: (value) => typeof value === 'boolean', expected: 'Expected true or false' };
const widths: SettingKind = {
  fits: (value) => Array.isArray(value) && value.every(isWidth),
  expected: 'Expected a list of whole numbers from 1 up',
};
const rate: SettingKind = {
  fits: (value) => Number.isFinite(value) || value === 'none',
  expected: 'Expected a number or "none"',
  range: true,
};
const blas: SettingKind = { fits: isRecordedBlas, expected: `Expected ${EXPECTED_BLAS}` };

/** Every setting. Trials come from a database that others can write: a setting chooses what is trained, not what the machine does for it. */
const SETTINGS: Readonly<Record<keyof TrainSettings, SettingKind>> = {
  data: path,
  task: text,
  preset: text,
  model: text,
  neuron: text,
  layers: text,
  units: number,
  blocks: number,
  gater: widths,
  activation: text,
  rate,
  sparsity: text,
  start: text,
  steer: onOff,
  nudge: onOff,
  balance: onOff,
  compute: text,
  probe: number,
  epochs: number,
  batch: number,
  optimizer: text,
  lr: number,
  gaterLr: number,
  momentum: number,
  maxNorm: number,
  decay: number,
  patience: number,
  simd: text,
  blas,
};

/** Options of `train` that are the machine's own, and what says them. */
const OF_THE_MACHINE: Readonly<Record<string, string>> = {
  net: '--net',
  use: '--use',
  dataDir: '--data-dir',
  threads: '--threads',
  checkpointEvery: '--checkpoint-every',
};

const NAMES = Object.keys(SETTINGS);

/** Names of the settings that are paths. */
export const PATH_SETTINGS: readonly string[] = NAMES.filter((name) => SETTINGS[name as keyof TrainSettings].path);

/** What a setting may be. @param where what has it, for messages: `train`. @throws RangeError where there is none of that name */
export function settingKind(where: string, name: string): SettingKind {
  if (Object.hasOwn(SETTINGS, name)) return SETTINGS[name as keyof TrainSettings];
  const flag = Object.hasOwn(OF_THE_MACHINE, name) ? OF_THE_MACHINE[name] : undefined;
  throw new RangeError(
    flag === undefined
      ? `\`${where}\` has no setting "${name}". ${suggest(name, NAMES)}`
      : `\`${where}\` has "${name}", which each machine says for itself. Expected ${flag} of \`flipgrad sweep\` and \`flipgrad worker\` instead.`,
  );
}

/** @param where what has the settings, for messages. @throws RangeError for what is no setting, or a value that it cannot have */
export function checkSettings(where: string, settings: unknown): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new RangeError(`\`${where}\` is ${shorten(settings)}. Expected an object of settings.`);
  for (const [name, value] of Object.entries(settings)) checkSetting(where, name, value);
}

/** @throws RangeError */
export function checkSetting(where: string, name: string, value: unknown): void {
  const kind = settingKind(where, name);
  const shown = typeof value === 'number' ? String(value) : shorten(value);
  if (!kind.fits(value)) throw new RangeError(`\`${where}.${name}\` is ${shown}. ${kind.expected}.`);
}
