import type { Command } from 'commander';
import { type LogName, layersText, type NeuronDefinition, Run, type Task } from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { settingNames, settingSpec } from '../src/runs/train-settings.ts';
import { UsageError } from './exit.ts';
import { flagOf, givenIn } from './flag-of.ts';
import { modelOf, presetOf } from './named-models.ts';
import { layersOfText } from './network.ts';
import { refusedFlag, taskOf, usualModel, wayOf } from './network-flags.ts';
import type { OwnCodeOf, OwnFlags } from './own-code.ts';
import type { Progress } from './progress.ts';
import { openRun } from './run-folder.ts';
import { DEFAULTS, type TrainConfig } from './train-config.ts';

/** The flags of `train` as they were read: what was not given and has no default is undefined. */
export interface TrainFlags extends Partial<TrainConfig>, Omit<OwnFlags, 'net'> {
  data?: string;
  dataDir?: string;
  preset?: string;
  seed: number;
  threads?: number;
  simd: 'auto' | 'simd' | 'relaxed';
  blas: string;
  run?: string;
  resume?: string | true;
  anyEngine?: boolean;
  checkpointEvery: number;
  log: LogName[];
  json?: boolean;
  compare?: boolean;
}

/** What a command that trains needs all the way. */
export interface Session {
  readonly flags: TrainFlags;
  readonly command: Command;
  readonly json: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The run to go on with, if that was asked for and it has begun. */
export async function begunRun({ resume: asked, run: named }: TrainFlags): Promise<Run | undefined> {
  if (asked === undefined) return undefined;
  if (typeof asked === 'string' && named !== undefined && named !== asked)
    throw new UsageError(`--resume ${asked} and --run ${named} name two folders. Expected one of them.`);
  const path = typeof asked === 'string' ? asked : named;
  if (path === undefined || path === 'none') throw new UsageError('--resume wants the folder of a run: --resume DIR.');
  return asked !== true || (await Run.isIn(nodeFolder(path))) ? openRun(path) : undefined;
}

/** Settings that do nothing for a network are told of, since a sweep may choose between models; others are refused. */
export function checkFlags({ command, progress }: Session, config: TrainConfig): void {
  const given = givenIn(command);
  const wrong = refusedFlag(config, given);
  if (wrong !== undefined) throw new UsageError(wrong);
  const { idle = [] } = modelOf(config) ?? {};
  const told = idle.filter(given).map(flagOf);
  if (told.length > 0)
    progress.print(`--model ${config.model} has no gates, so that this does nothing: ${told.join(', ')}.`);
}

/** @throws UsageError when a flag contradicts the run: only `--epochs` and what does not change the result may differ */
export function checkGiven(command: Command, flags: TrainFlags, { record, folder }: Run): void {
  const given = givenIn(command);
  const settings: Record<string, unknown> = {
    ...flags,
    ...(flags.preset !== undefined && presetOf(flags.preset, record.config.model as TrainConfig['model'])),
    ...flags,
  };
  const { task, logs } = record;
  if (given('log') && [...flags.log].sort().join() !== [...logs].sort().join())
    throw new UsageError(
      `--log is ${flags.log.join(',')} here and ${logs.join(',') || 'none'} in ${folder.path}. Expected ${logs.length > 0 ? `--log ${logs.join(',')}, or ` : ''}no --log, or another folder.`,
    );
  for (const name of [...settingNames, 'seed'].filter((one) => one !== 'preset')) {
    const others = { data: [record.data.source], task: [task.name] } as Readonly<Record<string, unknown[]>>;
    const known = [record.config[name], ...(Object.hasOwn(others, name) ? others[name] : [])];
    const same = known.some((value) => JSON.stringify(value) === JSON.stringify(settings[name]));
    if (
      name === 'epochs' ||
      name === 'net' ||
      name === 'data' ||
      same ||
      !(given(name) || (given('preset') && name in settings))
    )
      continue;
    throw new UsageError(
      `${flagOf(name)} is ${JSON.stringify(settings[name])} here and ${JSON.stringify(known.findLast((value) => value !== undefined)) ?? 'not set'} in ${folder.path}. Expected the same value, no ${flagOf(name)}, or another folder for a new run.`,
    );
  }
}

/**
 * The configuration and its task: defaults, those of the model and the task, under the preset, under the flags.
 * @throws UsageError for two networks, or layers that cannot be read
 */
export function configOf({ flags, command }: Session, own: OwnCodeOf): { config: TrainConfig; task: Task } {
  const given = givenIn(command);
  const way = wayOf(flags, given) ?? flags.model;
  const said = Object.fromEntries(
    Object.entries(flags).filter(
      ([name]) =>
        given(name) && (settingSpec(name) !== undefined || name === 'net') && name !== 'data' && name !== 'preset',
    ),
  );
  const asked = {
    ...DEFAULTS,
    ...(way && { model: way }),
    ...modelOf({ model: way ?? DEFAULTS.model })?.defaults,
    ...said,
  };
  const task = taskOf({ ...asked, ...(way && { model: way }) }, own.tasks);
  const model = way ?? usualModel(task, given);
  const preset = flags.preset === undefined ? {} : presetOf(flags.preset, model);
  const { batch } = task.defaults;
  const config = { ...asked, batch, ...preset, ...said, model, ...withLayers(flags, own.neurons) };
  return { config: config as TrainConfig, task };
}

/** The text of --layers in its usual form. */
export const withLayers = ({ layers }: TrainFlags, own: readonly NeuronDefinition[]): { layers?: string } =>
  layers === undefined ? {} : { layers: layersText(layersOfText(layers, own)) };
